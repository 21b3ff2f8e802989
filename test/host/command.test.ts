import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gone, HostProcess, read, startedHost, temporaryDirectory } from "./host-process.ts";

const TOKEN = "preset-token-of-an-operator";

async function refused(flags: readonly string[], env: Record<string, string> = {}) {
  const host = new HostProcess(flags, env);
  return { code: await host.exited, stderr: host.stderr, stdout: host.stdout };
}

describe("usage", () => {
  it("prints every flag with --help and exits 0", async () => {
    const { code, stdout } = await refused(["--help"]);
    expect(code).toBe(0);
    for (const flag of ["port", "host", "data", "workers-domain", "control-host", "egress"]) {
      expect(stdout).toContain(`--${flag}`);
    }
    expect(stdout).not.toContain("FAULT");
  });

  it("answers an unknown flag with one line and exit code 2", async () => {
    const { code, stderr } = await refused(["--prot", "1"]);
    expect(code).toBe(2);
    expect(stderr).toBe("switchback: Unknown option '--prot'. See --help for the flags.\n");
  });
});

describe("first start", () => {
  it("shows a token once, stores only its hash, and keeps account and token over a restart", async () => {
    const directory = join(temporaryDirectory(), "data");
    const first = await startedHost(directory);
    const [, token] = await first.host.seen(/CLOUDFLARE_API_TOKEN=(sbk_[\w-]{43})\n/);
    const [, account] = await first.host.seen(/CLOUDFLARE_ACCOUNT_ID=([0-9a-f]{32})\n/);
    expect(first.host.stdout).toContain(`CLOUDFLARE_API_BASE_URL=${first.url}/client/v4\n`);
    const vars = JSON.parse(await read(`${first.url}/vars`)) as Record<string, string>;
    expect(vars["ACCOUNT_ID"]).toBe(account);
    await first.host.kill("SIGTERM");

    const second = await startedHost(directory);
    expect(second.host.stdout).not.toContain("sbk_");
    expect(second.host.stdout).toContain("<the token shown at the first start>");
    expect(second.host.stdout).toContain(`CLOUDFLARE_ACCOUNT_ID=${account}\n`);
    const later = JSON.parse(await read(`${second.url}/vars`)) as Record<string, string>;
    expect(later["ROOT_TOKEN_SHA256"]).toBe(vars["ROOT_TOKEN_SHA256"]);
    expect(later["SECRETS_KEY"]).toBe(vars["SECRETS_KEY"]);

    const file = join(directory, "installation.json");
    expect(readFileSync(file, "utf8")).not.toContain(token);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
  });

  it("makes a new token if the first start failed before one was shown", async () => {
    const directory = temporaryDirectory();
    const broken = temporaryDirectory();
    writeFileSync(join(broken, "0000_init.sql"), "CREATE nonsense");
    const env = { FIXTURE_MIGRATIONS: broken };
    expect((await refused(["--port", "0", "--data", directory], env)).code).toBe(1);
    const { host } = await startedHost(directory);
    expect(host.stdout).toMatch(/CLOUDFLARE_API_TOKEN=sbk_/);
  });
});

describe("presets", () => {
  it("takes account and token from the environment, prints no token, and replaces the stored one", async () => {
    const directory = temporaryDirectory();
    const env = { SWITCHBACK_ROOT_TOKEN: TOKEN, SWITCHBACK_ACCOUNT_ID: "acme1" };
    const first = await startedHost(directory, { env });
    expect(first.host.stdout).toContain("CLOUDFLARE_ACCOUNT_ID=acme1\n");
    expect(first.host.stdout).toContain('CLOUDFLARE_API_TOKEN="$SWITCHBACK_ROOT_TOKEN"\n');
    expect(first.host.stdout).not.toContain(TOKEN);
    const before = JSON.parse(await read(`${first.url}/vars`)) as Record<string, string>;
    await first.host.kill("SIGTERM");

    const next = { SWITCHBACK_ROOT_TOKEN: `${TOKEN}-2` };
    const second = await startedHost(directory, { env: next });
    const after = JSON.parse(await read(`${second.url}/vars`)) as Record<string, string>;
    expect(after["ROOT_TOKEN_SHA256"]).not.toBe(before["ROOT_TOKEN_SHA256"]);
    expect(after["ACCOUNT_ID"]).toBe("acme1");
    await second.host.kill("SIGTERM");

    const other = await refused(["--port", "0", "--data", directory], {
      SWITCHBACK_ACCOUNT_ID: "acme2",
    });
    expect(other.code).toBe(1);
    expect(other.stderr).toMatch(/^switchback: SWITCHBACK_ACCOUNT_ID is "acme2".*"acme1".*\n$/);
  });
});

describe("a start that cannot be", () => {
  it("names a taken port, in one line", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as { port: number };
    const { code, stderr } = await refused(["--port", `${port}`, "--data", temporaryDirectory()]);
    server.close();
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^switchback: Port ${port} on 127.0.0.1 is taken .*\n$`));
  });

  it("names an address that is not this machine's", async () => {
    const flags = ["--host", "192.0.2.1", "--data", temporaryDirectory()];
    const { code, stderr } = await refused(flags);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^switchback: 192\.0\.2\.1 is not an address of this machine\..*\n$/);
  });

  it("names a data directory that cannot be made", async () => {
    const file = join(temporaryDirectory(), "file");
    writeFileSync(file, "");
    const { code, stderr } = await refused(["--data", join(file, "data")]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^switchback: The data directory .*file\/data cannot be written .*\n$/);
  });

  it("lets one host at a time into a data directory", async () => {
    const directory = temporaryDirectory();
    const { host } = await startedHost(directory);
    const { code, stderr } = await refused(["--port", "0", "--data", directory]);
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`in use by another Switchback \\(process ${host.child.pid}\\)\\..*\n$`),
    );
  });

  it("refuses data whose installation.json is gone, instead of making a new key", async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory, "storage"));
    const { code, stderr } = await refused(["--port", "0", "--data", directory]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/installation\.json is missing.*backup/);
  });
});

describe("stopping", () => {
  it("lets a request in flight finish, leaves no process, and keeps rows, objects and bytes", async () => {
    const directory = temporaryDirectory();
    const { host, url } = await startedHost(directory);
    expect(await read(`${url}/object`)).toBe("1");
    expect(await read(`${url}/rows`)).toBe("1");
    expect(await read(`${url}/blob`)).toBe("undefined");
    await read(`${url}/say`);
    const slow = read(`${url}/slow`);
    // A second answer after the slow request was sent: the runtime has it by now.
    await read(`${url}/healthz`);
    expect(await host.kill("SIGTERM")).toBe(0);
    expect(await slow).toBe("finished");
    await gone(host.runtimePid());
    expect(host.stdout).toMatch(/info stopping signal=SIGTERM\n/);
    expect(host.stdout).toMatch(/info stopped\n$/);
    expect(host.stdout).not.toContain("restarting");
    expect(host.stderr).toBe("");

    const again = await startedHost(directory);
    expect(await read(`${again.url}/object`)).toBe("2");
    expect(await read(`${again.url}/rows`)).toBe("2");
    expect(await read(`${again.url}/blob`)).toBe("kept");
  });

  it("passes what its processes say on as one event a line, and tells which process it was", async () => {
    const { host, url } = await startedHost(temporaryDirectory());
    await read(`${url}/say`);
    await host.seen(/^\S+ info from-worker process=\S+$/m);
    await host.seen(/^\S+ info console text="two\\nlines" process=\S+$/m);
  });
});

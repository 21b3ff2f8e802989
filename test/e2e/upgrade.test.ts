import { execFile, execFileSync } from "node:child_process";
import {
  cpSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterEach, describe, expect, it } from "vitest";
import { temporaryDirectory } from "./support/temporary-directory.ts";
import { TestHost, type ApiAnswer } from "./support/test-host.ts";

const run = promisify(execFile);
/** A data directory that Switchback 0.1.0 has written, and what its API answered last. */
const OLD = fileURLToPath(new URL("../host/fixture-data-0.1.0", import.meta.url));
const UPGRADE = fileURLToPath(new URL("../../src/host/upgrade-main.ts", import.meta.url));
const ROTATE = fileURLToPath(new URL("../../src/host/rotate-key-main.ts", import.meta.url));
/** The directory's own account and token are in force. */
const OLD_ENV = { SWITCHBACK_ROOT_TOKEN: "", SWITCHBACK_ACCOUNT_ID: "" };
const SCRIPT = "/accounts/acme/workers/scripts/shop";

const hosts: TestHost[] = [];

afterEach(async () => {
  for (const host of hosts.splice(0)) await host.dispose();
});

async function oldHost(main?: string): Promise<TestHost> {
  const host = new TestHost(main);
  hosts.push(host);
  execFileSync("tar", ["-xzf", join(OLD, "data.tar.gz"), "-C", host.directory]);
  await host.start({ env: OLD_ENV, flags: ["--gateways", "1"] });
  return host;
}

/** This code in a directory where it may be changed. */
function releaseOfItsOwn(): string {
  const release = temporaryDirectory();
  const root = fileURLToPath(new URL("../..", import.meta.url));
  for (const part of ["src", "migrations", "dist", "package.json"]) {
    cpSync(join(root, part), join(release, part), { recursive: true });
  }
  symlinkSync(join(root, "node_modules"), join(release, "node_modules"));
  return release;
}

function ask(host: TestHost, what: string, init: RequestInit = {}): Promise<ApiAnswer> {
  const headers = new Headers(init.headers);
  headers.set("authorization", "Bearer fixture-token-of-0.1.0");
  return host.api(`${SCRIPT}/${what}`, { ...init, headers });
}

function upgrade(host: TestHost, ...flags: string[]) {
  return run(process.execPath, [UPGRADE, "--data", host.directory, ...flags]);
}

describe("a data directory of Switchback 0.1.0", () => {
  it("is migrated, serves the same version with its secret, and tells the same history", async () => {
    const host = await oldHost();
    expect(host.log).toMatch(/migration applied name=0003_/);
    expect((await host.visit("shop.localhost")).body).toBe("one hello s3cret");
    const answers = JSON.parse(readFileSync(join(OLD, "answers.json"), "utf8")) as Record<
      string,
      object
    >;
    expect(Object.keys(answers)).toContain("deployments");
    for (const [what, answer] of Object.entries(answers)) {
      expect(await ask(host, what), what).toMatchObject(answer);
    }
  });

  it("takes deployments, and keeps them over another start", async () => {
    const host = await oldHost();
    const [newest] = (await ask(host, "versions")).result.items as { id: string }[];
    const deployed = await ask(host, "deployments", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        strategy: "percentage",
        versions: [{ version_id: newest?.id, percentage: 100 }],
      }),
    });
    expect(deployed.status).toBe(200);
    expect((await host.visit("shop.localhost")).body).toBe("two hello s3cret");
    await host.stop();
    await host.start({ env: OLD_ENV, flags: ["--gateways", "1"] });
    expect(host.log).not.toContain("migration applied");
    expect((await host.visit("shop.localhost")).body).toBe("two hello s3cret");
  });
});

describe("npm run upgrade", () => {
  it("goes over to the code on the disk under traffic, and no request fails or misses", async () => {
    const host = await oldHost();
    const before = host.runtimePid();
    let over = false;
    let served = 0;
    const wrong: string[] = [];
    const visitor = async () => {
      while (!over) {
        const { status, body } = await host.visit("shop.localhost");
        served++;
        if (status !== 200 || body !== "one hello s3cret") wrong.push(`${status} ${body}`);
      }
    };
    const client = async () => {
      while (!over) {
        const { status } = await ask(host, "deployments");
        served++;
        if (status !== 200) wrong.push(`API ${status}`);
      }
    };
    const load = [visitor(), visitor(), client()];
    const { stdout } = await upgrade(host, "--no-build");
    await host.logged(/previous supervisor ended/);
    over = true;
    await Promise.all(load);
    expect(stdout).toMatch(/^Upgraded: process \d+ runs Switchback /);
    expect(wrong).toEqual([]);
    expect(served).toBeGreaterThan(0);
    expect(host.runtimePid()).not.toBe(before);
    expect((await host.visit("shop.localhost")).body).toBe("one hello s3cret");
  });

  it("builds what npm run build does; a second one meanwhile is refused, and the first succeeds", async () => {
    const release = releaseOfItsOwn();
    const host = await oldHost(join(release, "src/host/main.ts"));
    const dist = join(release, "dist");
    rmSync(dist, { recursive: true });
    const command = [join(release, "src/host/upgrade-main.ts"), "--data", host.directory];
    const asked = [run(process.execPath, command), run(process.execPath, command)];
    const outcomes = await Promise.allSettled(asked);
    const refusals = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(refusals).toEqual([
      expect.objectContaining({
        code: 1,
        stderr: `switchback: Another npm run upgrade of ${host.directory} is under way, and goes on. Ask again when it has ended.\n`,
      }),
    ]);
    expect(readdirSync(dist).toSorted()).toEqual(["switchback.js", "switchback.js.map"]);
    const script = readFileSync(join(dist, "switchback.js"), "utf8");
    expect(script).toMatch(/\n\/\/# sourceMappingURL=switchback\.js\.map\n$/);
    const map = JSON.parse(readFileSync(join(dist, "switchback.js.map"), "utf8")) as object;
    expect(map).toMatchObject({ sources: expect.arrayContaining(["../src/index.ts"]) });
    for (const file of readdirSync(dist)) {
      expect(statSync(join(dist, file)).mode & 0o777, file).toBe(0o644);
    }
    expect((await host.visit("shop.localhost")).body).toBe("one hello s3cret");
  });

  it("says that a build failed, and changes nothing", async () => {
    const release = releaseOfItsOwn();
    const host = await oldHost(join(release, "src/host/main.ts"));
    const before = readFileSync(join(release, "dist/switchback.js"), "utf8");
    writeFileSync(join(release, "src/index.ts"), "export default {");
    const command = [join(release, "src/host/upgrade-main.ts"), "--data", host.directory];
    await expect(run(process.execPath, command)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/\nswitchback: The build failed, and nothing was changed\.\n$/),
    });
    expect(readFileSync(join(release, "dist/switchback.js"), "utf8")).toBe(before);
    expect(host.log).not.toContain("upgrade started");
  });

  it("leaves everything as it was if the new code cannot start, and says why", async () => {
    const release = releaseOfItsOwn();
    const host = await oldHost(join(release, "src/host/main.ts"));
    writeFileSync(join(release, "migrations", "9999_broken.sql"), "CREATE nonsense");
    await expect(upgrade(host, "--no-build")).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^switchback: The upgrade failed, and what ran goes on as it was: Migration 9999_broken\.sql failed and has changed nothing: .*\n$/,
      ),
    });
    expect((await host.visit("shop.localhost")).body).toBe("one hello s3cret");
    expect((await ask(host, "deployments")).status).toBe(200);
    expect(host.log).toContain("control plane taken back");
  });

  it("that fails leaves a host that knows the key which was added meanwhile", async () => {
    const release = releaseOfItsOwn();
    const host = await oldHost(join(release, "src/host/main.ts"));
    writeFileSync(join(release, "migrations", "9999_broken.sql"), "CREATE nonsense");
    await expect(run(process.execPath, [ROTATE, "--data", host.directory])).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining("The new key k2 is in installation.json already"),
    });
    await expect.poll(() => host.log, { timeout: 10_000 }).toContain("secrets key changed key=k2");
    expect((await host.visit("shop.localhost")).body).toBe("one hello s3cret");
    expect(readFileSync(join(host.directory, "installation.json"), "utf8")).not.toContain("k1:");
  });

  it("refuses a directory on which nobody runs", async () => {
    const directory = temporaryDirectory();
    await expect(run(process.execPath, [UPGRADE, "--data", directory])).rejects.toMatchObject({
      code: 1,
      stderr: `switchback: No Switchback runs on ${directory}. Start it with npm start, or name its --data.\n`,
    });
  });
});

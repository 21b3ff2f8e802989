/** Real workerd processes, each with a small Worker in place of the gateway. */
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { afterEach, describe, expect, it, vi } from "vitest";
import { certificatesConfig } from "../../src/host/gateway-config.ts";
import { GatewayProcess, type GatewayProcessParts } from "../../src/host/gateway-process.ts";
import type { RuntimeLogEntry } from "../../src/host/runtime-log.ts";
import { temporaryDirectory } from "./host-process.ts";

const SCRIPT = `import { WorkerEntrypoint } from "cloudflare:workers";
export class GatewayEntrypoint extends WorkerEntrypoint {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/alive") return new Response(null, { status: 204 });
    if (pathname === "/silent") await scheduler.wait(60_000);
    if (pathname === "/loop") for (;;);
    return new Response(request.method + " " + pathname + " " + (await request.text()));
  }
}
export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/out") {
      const reached = await fetch("http://127.0.0.1:1/").then(() => "reached", (error) => error.message);
      return new Response(reached);
    }
    if (pathname === "/say") console.log("said by the Worker");
    return Response.json(Object.fromEntries(Object.entries(env).filter(([, v]) => typeof v === "string")));
  },
};
`;

const started: GatewayProcess[] = [];
afterEach(async () => {
  for (const gateway of started.splice(0)) {
    gateway.kill();
    await gateway.ended;
  }
});

interface Start {
  readonly variables?: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly runDirectory?: string;
  readonly script?: string;
  readonly trusted?: readonly string[];
  readonly internalSocketPath?: string;
}

function start({ variables = {}, name = "g1", ...of }: Start = {}) {
  const runDirectory = of.runDirectory ?? temporaryDirectory();
  writeFileSync(join(runDirectory, "switchback.js"), of.script ?? SCRIPT);
  writeFileSync(join(runDirectory, "certificates.capnp"), certificatesConfig(of.trusted ?? []));
  const log: RuntimeLogEntry[] = [];
  const pids: string[] = [];
  const parts: GatewayProcessParts = {
    name,
    kind: "pool",
    runDirectory,
    config: {
      script: "switchback.js",
      certificates: "certificates.capnp",
      variables,
      controlSocketPath: join(runDirectory, "control.sock"),
      supervisorSocketPath: undefined,
      internet: { allow: ["public"], deny: [] },
      doors: {},
      directorySocketPath: join(runDirectory, "objects.sock"),
      objectSockets: [],
    },
    ...(of.internalSocketPath === undefined ? {} : { internalSocketPath: of.internalSocketPath }),
    onSpawn: (pid) => pids.push(`+${pid}`),
    onExit: (pid) => pids.push(`-${pid}`),
    onLog: (entry) => log.push(entry),
    onSuppressed: () => undefined,
  };
  const gateway = new GatewayProcess(parts);
  started.push(gateway);
  return { gateway, runDirectory, log, pids };
}

async function answering(gateway: GatewayProcess): Promise<void> {
  while ((await gateway.ask("GET", "/alive", 5_000))?.status !== 204) {
    if (gateway.pid === undefined) throw new Error(await gateway.ended);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** As a visitor's request arrives from the front. */
function visit(gateway: GatewayProcess, path: string): Promise<string> {
  return new Promise((done, fail) => {
    const sent = request({ socketPath: gateway.socketPath, path, agent: false }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += String(chunk)));
      response.once("end", () => done(text));
    });
    sent.once("error", fail);
    sent.end();
  });
}

describe("a gateway process", () => {
  it("answers on two sockets that are this user's alone, and is known by its process id", async () => {
    const { gateway, runDirectory, pids } = start();
    await answering(gateway);
    expect(pids).toEqual([`+${gateway.pid}`]);
    expect(await visit(gateway, "/")).toBe("{}");
    expect(await gateway.ask("POST", "/stop", 5_000, { a: 1 })).toEqual({
      status: 200,
      text: 'POST /stop {"a":1}',
    });
    const files = readdirSync(runDirectory).filter((name) => name.startsWith("g1"));
    expect(files.toSorted()).toEqual(["g1-in.sock", "g1.capnp", "g1.sock"]);
    expect(statSync(join(runDirectory, "g1.capnp")).mode & 0o777).toBe(0o600);
    await gateway.stop(0);
  });

  it("gets each variable as it is, whatever is in it, and nothing of the host's environment", async () => {
    const variables = {
      QUOTES: String.raw`"))), evil = (\"\x22`,
      LINES: "two\nlines\r\n",
      UNICODE: "ümlaut 🚀 \u{7f}",
      EMPTY: "",
    };
    const { gateway } = start({ variables });
    await answering(gateway);
    expect(JSON.parse(await visit(gateway, "/"))).toEqual(variables);
    const environment = readFileSync(`/proc/${gateway.pid}/environ`, "utf8");
    expect(environment).toBe("");
  });

  it("has no network of its own: deployed code goes out by the door that is made for it", async () => {
    const { gateway } = start();
    await answering(gateway);
    expect(await visit(gateway, "/out")).not.toBe("reached");
  });

  it("passes on what it prints", async () => {
    const { gateway, log } = start();
    await answering(gateway);
    await visit(gateway, "/say");
    while (!log.some(({ message }) => message === "said by the Worker")) {
      await new Promise((done) => setTimeout(done, 20));
    }
  });

  it("leaves none of its files when it ends, and tells why", async () => {
    const { gateway, runDirectory, pids } = start();
    await answering(gateway);
    const { pid } = gateway;
    gateway.kill();
    expect(await gateway.ended).toBe("SIGKILL");
    expect(gateway.pid).toBeUndefined();
    expect(pids).toEqual([`+${pid}`, `-${pid}`]);
    expect(readdirSync(runDirectory)).toEqual(["certificates.capnp", "switchback.js"]);
  });

  it("is not started without room for its configuration, and leaves nothing", () => {
    const runDirectory = temporaryDirectory();
    symlinkSync("/dev/full", join(runDirectory, "g1.capnp"));
    expect(() => start({ runDirectory })).toThrow("ENOSPC");
    expect(readdirSync(runDirectory)).toEqual(["certificates.capnp", "switchback.js"]);
  });

  it("reads the certificates that it may trust besides the usual ones", async () => {
    const { gateway, log } = start({ trusted: ["no certificate"] });
    expect(await gateway.ended).toMatch(/exit code [1-9]/);
    await vi.waitFor(() =>
      expect(log.map(({ message }) => message).join("\n")).toMatch(/PEM certificate/),
    );
    const { gateway: trusting } = start({ trusted: rootCertificates.slice(0, 2) });
    await answering(trusting);
  });

  it("that cannot start ends with the reason in its output", async () => {
    const { gateway, log } = start({ script: "export default {" });
    expect(await gateway.ended).toMatch(/exit code [1-9]/);
    expect(await gateway.ask("GET", "/alive", 1_000)).toBeUndefined();
    await new Promise((done) => setTimeout(done, 50));
    expect(log.map(({ message }) => message).join("\n")).toMatch(/SyntaxError/);
  });

  it("ends after the time allowed even if its code never does, and sees no signal but the last", async () => {
    const { gateway } = start();
    await answering(gateway);
    const asked = gateway.ask("GET", "/loop", 60_000);
    await gateway.stop(200);
    expect(await gateway.ended).toMatch(/SIGKILL|SIGTERM|exit code/);
    expect(await asked).toBeUndefined();
  });

  it("takes over a fixed path of the internal socket from one that has left it behind", async () => {
    const runDirectory = temporaryDirectory();
    const internalSocketPath = join(runDirectory, "trial-in.sock");
    writeFileSync(internalSocketPath, "");
    const first = start({ runDirectory, internalSocketPath });
    await answering(first.gateway);
    first.gateway.kill();
    await first.gateway.ended;
    const second = start({ runDirectory, internalSocketPath, name: "g2" });
    await answering(second.gateway);
    expect(existsSync(internalSocketPath)).toBe(true);
  });
});

describe("a question to a gateway", () => {
  it("has no answer if none comes in time, and the next one is answered all the same", async () => {
    const { gateway } = start();
    await answering(gateway);
    expect(await gateway.ask("GET", "/silent", 50)).toBeUndefined();
    expect((await gateway.ask("GET", "/alive", 5_000))?.status).toBe(204);
  });

  it("has no answer if there is no process", async () => {
    const { gateway } = start();
    await answering(gateway);
    const silent = gateway.ask("GET", "/silent", 60_000);
    gateway.kill();
    expect(await silent).toBeUndefined();
    expect(await gateway.ask("GET", "/alive", 1_000)).toBeUndefined();
  });
});

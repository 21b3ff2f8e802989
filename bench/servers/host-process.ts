/** One self-hosted server as `npm start` runs it, in processes of its own. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

const ENTRY = fileURLToPath(new URL("host-entry.ts", import.meta.url));
const SWITCHBACK = fileURLToPath(new URL("../../dist/switchback.js", import.meta.url));
export const ROOT_TOKEN = "sbk_benchmarks_only_root_token";
export const ACCOUNT_ID = "be4c0000be4c0000be4c0000be4c0000";

const FIXTURES = {
  hello: new URL("../fixtures/hello.js", import.meta.url),
  "fixed-gateway": new URL("../fixtures/fixed-gateway.js", import.meta.url),
  "identifying-gateway": new URL("../fixtures/identifying-gateway.js", import.meta.url),
  "asking-gateway": new URL("../fixtures/asking-gateway.js", import.meta.url),
  "counting-switchback": new URL("../fixtures/counting-switchback.js", import.meta.url),
};
export type Fixture = keyof typeof FIXTURES;

export interface HostProcess {
  readonly port: number;
  readonly supervisorPid: number;
  readonly runtimePid: number;
  /** In order: SIGTERM, and its goodbye. */
  stop(): Promise<void>;
}

/** Runs Switchback, or a fixture in its place, over a data directory. Rejects with what the host printed. */
export async function startHostProcess(
  worker: "switchback" | Fixture,
  directory: string,
  settings: Readonly<Record<`SWITCHBACK_${string}`, string>> = {},
): Promise<HostProcess> {
  const script = worker === "switchback" ? SWITCHBACK : bundleFixture(worker, directory);
  const child = fork(ENTRY, [script, "--port", "0", "--data", directory], {
    env: {
      PATH: process.env["PATH"],
      SWITCHBACK_ROOT_TOKEN: ROOT_TOKEN,
      SWITCHBACK_ACCOUNT_ID: ACCOUNT_ID,
      ...settings,
    },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const exited = once(child, "exit");
  const ready = await readiness(child);
  return {
    port: Number(ready[1]),
    supervisorPid: Number(ready[2]),
    runtimePid: Number(ready[3]),
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

function bundleFixture(name: Fixture, directory: string): string {
  const outfile = join(directory, `${name}.bundle.js`);
  buildSync({
    entryPoints: [fileURLToPath(FIXTURES[name])],
    outfile,
    bundle: true,
    format: "esm",
    external: ["cloudflare:*", "node:*"],
  });
  return outfile;
}

async function readiness(child: ChildProcess): Promise<RegExpExecArray> {
  let output = "";
  return new Promise((done, fail) => {
    const read = (chunk: Buffer) => {
      output = (output + String(chunk)).slice(-10_000);
      const match = /ready url=\S+:(\d+) .*pid=(\d+) runtime=(\d+)/.exec(output);
      if (match) done(match);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("exit", () => fail(new Error(`The host did not start:\n${output}`)));
  });
}

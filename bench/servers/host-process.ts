/** One self-hosted server in processes of its own: as `npm start` runs it, or as one single Worker. */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { hostProcesses, type HostProcesses } from "./host-processes.ts";

const ENTRIES = {
  host: fileURLToPath(new URL("host-entry.ts", import.meta.url)),
  "one process": fileURLToPath(new URL("one-process.ts", import.meta.url)),
};
/** "host": control process, gateways and front. "one process": the same script without any of them. */
export type Topology = keyof typeof ENTRIES;
const SWITCHBACK = fileURLToPath(new URL("../../dist/switchback.js", import.meta.url));
export const ROOT_TOKEN = "sbk_benchmarks_only_root_token";
export const ACCOUNT_ID = "be4c0000be4c0000be4c0000be4c0000";

const FIXTURES = {
  hello: new URL("../fixtures/hello.js", import.meta.url),
  "fixed-gateway": new URL("../fixtures/fixed-gateway.js", import.meta.url),
  "identifying-gateway": new URL("../fixtures/identifying-gateway.js", import.meta.url),
  "hello-asset": new URL("../fixtures/hello-asset.js", import.meta.url),
  "asking-gateway": new URL("../fixtures/asking-gateway.js", import.meta.url),
  "counting-switchback": new URL("../fixtures/counting-switchback.js", import.meta.url),
};
export type Fixture = keyof typeof FIXTURES;

export type HostSettings = Readonly<Record<`SWITCHBACK_${string}`, string>>;

export interface HostProcess {
  readonly port: number;
  /** Those that run now: they change when one is replaced. */
  processes(): HostProcesses;
  /** In order: SIGTERM, and its goodbye. */
  stop(): Promise<void>;
}

/**
 * Runs Switchback over a data directory, or a fixture in its place: as a whole host only such as have the doors that
 * the processes of a host knock at. Rejects with what was printed.
 */
export async function startHostProcess(
  topology: Topology,
  worker: "switchback" | Fixture,
  directory: string,
  settings: HostSettings = {},
): Promise<HostProcess> {
  const script = worker === "switchback" ? SWITCHBACK : bundleFixture(worker, directory);
  const child = fork(ENTRIES[topology], ["--port", "0", "--data", directory], {
    env: {
      PATH: process.env["PATH"],
      BENCH_SCRIPT_FILE: script,
      SWITCHBACK_ROOT_TOKEN: ROOT_TOKEN,
      SWITCHBACK_ACCOUNT_ID: ACCOUNT_ID,
      ...settings,
    },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const exited = once(child, "exit");
  const port = await readiness(child);
  return {
    port,
    processes: () => hostProcesses(child.pid ?? 0),
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

async function readiness(child: ChildProcess): Promise<number> {
  let output = "";
  return new Promise((done, fail) => {
    const read = (chunk: Buffer) => {
      output = (output + String(chunk)).slice(-10_000);
      const match = /ready url=\S+:(\d+)\s/.exec(output);
      if (match) done(Number(match[1]));
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("exit", () => fail(new Error(`The host did not start:\n${output}`)));
  });
}

/** The runtime without any host of ours: `workerd serve` with a written configuration. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { startOrphanGuard } from "../../src/host/orphan-guard.ts";
import { COMPATIBILITY_DATE } from "../../src/host/compatibility-date.ts";

const HELLO = fileURLToPath(new URL("../fixtures/hello.js", import.meta.url));

const CONFIG = `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [ (name = "hello", worker = .hello) ],
  sockets = [ (name = "http", address = "127.0.0.1:0", http = (), service = "hello") ],
);

const hello :Workerd.Worker = (
  modules = [ (name = "hello.js", esModule = embed "hello.js") ],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  compatibilityFlags = ["nodejs_compat"],
);
`;

export interface RawWorkerd {
  readonly port: number;
  stop(): Promise<void>;
}

/** Serves the bare Worker. Rejects with what workerd printed. */
export async function startRawWorkerd(directory: string): Promise<RawWorkerd> {
  copyFileSync(HELLO, join(directory, "hello.js"));
  const config = join(directory, "config.capnp");
  writeFileSync(config, CONFIG);
  const guard = startOrphanGuard(join(directory, "workerd.pid"));
  const child = spawn(workerdBinary(), ["serve", config, "--control-fd=3"], {
    stdio: ["ignore", "ignore", "pipe", "pipe"],
  });
  if (child.pid !== undefined) guard.add(child.pid);
  const exited = once(child, "exit");
  let printed = "";
  child.stderr?.on("data", (chunk) => (printed = (printed + String(chunk)).slice(-10_000)));
  const port = await new Promise<number>((done, fail) => {
    let events = "";
    (child.stdio[3] as Readable).on("data", (chunk) => {
      events += String(chunk);
      const match = /"port":\s*(\d+)/.exec(events);
      if (match) done(Number(match[1]));
    });
    child.once("exit", () => fail(new Error(`workerd did not start:\n${printed}`)));
    child.once("error", fail);
  });
  return {
    port,
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
      guard.release();
    },
  };
}

/** The very binary that Miniflare runs. */
function workerdBinary(): string {
  const fromMiniflare = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  return (fromMiniflare("workerd") as { readonly default: string }).default;
}

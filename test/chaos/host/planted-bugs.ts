/** Ways to break the host's promises, each small and easily made. A harness that does not see one of them is blind. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { bundleHostScript, ROOT, type PlantedBug } from "../bundle.ts";
import type { MachineOptions } from "./machine.ts";

interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export type HostBug =
  /** In the Worker's bundle. */
  | { readonly name: string; readonly worker: Change }
  /** In the launcher and the supervisor. */
  | { readonly name: string; readonly host: readonly Change[] };

export const HOST_BUGS: readonly HostBug[] = [
  {
    name: "a gateway that keeps its lease for ever",
    worker: {
      file: "src/domain/lease.ts",
      from: "boolean => now < lease.until;",
      to: "boolean => true || now < lease.until;",
    },
  },
  {
    name: "a front that answers from a cache",
    host: [
      {
        file: "src/host/front/exchange.ts",
        from: "    if (own === null) return this.#place();",
        to: `    const kept = (globalThis as any).kept?.get(this.#flight.host);
    if (kept !== undefined && this.#head.replayable && own === null) {
      this.#stage = OVER;
      this.#client.write(kept);
      return this.#client.done(true);
    }
    if (own === null) return this.#place();`,
      },
      {
        file: "src/host/front/exchange.ts",
        from: "    this.#response.begin(head.body);",
        to: `    if (this.#head.replayable && head.status === 200 && !this.#upstream!.name.startsWith("control"))
      ((globalThis as any).kept ??= new Map()).set(this.#flight.host, Buffer.from(bytes.subarray(from)));
    this.#response.begin(head.body);`,
      },
    ],
  },
];

const VARIABLE = "CHAOS_HOST_CHANGES";

export const plantedChanges = (env: Readonly<Record<string, string | undefined>>): Change[] =>
  JSON.parse(env[VARIABLE] ?? "[]");

/** How to start a host with the bug. `remove` when it has ended. */
export async function planting(bug: HostBug): Promise<{ options: MachineOptions; remove(): void }> {
  const directory = mkdtempSync(join(tmpdir(), "switchback-planted-"));
  const changes = "host" in bug ? bug.host : [await otherScript(bug, directory)];
  for (const { file, from } of changes) {
    // A bug that no longer fits the source would be no bug, and the harness would seem blind.
    if (readFileSync(join(ROOT, file), "utf8").split(from).length !== 2) {
      throw new Error(
        `The planted bug "${bug.name}" has to find its text in ${file} exactly once.`,
      );
    }
  }
  return {
    options: {
      nodeFlags: ["--import", fileURLToPath(new URL("plant.ts", import.meta.url))],
      env: { [VARIABLE]: JSON.stringify(changes) },
    },
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The supervisor's own source, so changed that it runs another bundle. */
async function otherScript(
  { name, worker }: { name: string; worker: Change },
  directory: string,
): Promise<Change> {
  const file = join(directory, "switchback.js");
  const bug: PlantedBug = { name, ...worker };
  writeFileSync(file, await bundleHostScript(bug));
  return {
    file: "src/host/supervise.ts",
    from: '"../../dist/switchback.js"',
    to: JSON.stringify(pathToFileURL(file).href),
  };
}

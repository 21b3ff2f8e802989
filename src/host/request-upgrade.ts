/** Asks a running host to go over to the code that lies here now, and waits for the outcome. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { openDataDirectory } from "./data-directory.ts";
import { HostError } from "./host-error.ts";
import { PREPARE_MS_MAX, TAKE_MS_MAX, YIELD_MS_MAX } from "./launcher-limits.ts";
import { UPGRADE_FILE } from "./run-launcher.ts";
import { COMPATIBILITY_DATE } from "./compatibility-date.ts";
import { Runtime } from "./runtime.ts";
import type { UpgradeResult } from "./upgrade.ts";

/** The launcher waits for the first start, too, if that is not over yet. */
const OUTCOME_MS_MAX = PREPARE_MS_MAX + YIELD_MS_MAX + 2 * TAKE_MS_MAX;
const LOOK_MS = 100;

/** Gives the launcher's process id. Throws a HostError if no host runs there, or goes on as it was. */
export async function requestUpgrade(dataDirectory: string): Promise<number> {
  const directory = resolve(dataDirectory);
  const pid = launcherOf(directory);
  const file = join(directory, UPGRADE_FILE);
  rmSync(file, { force: true });
  process.kill(pid, "SIGUSR2");
  const deadline = performance.now() + OUTCOME_MS_MAX;
  while (!existsSync(file)) {
    if (!isNode(pid)) throw new HostError(`Process ${pid} has ended. Its log says why.`);
    if (performance.now() > deadline) {
      throw new HostError(
        `Process ${pid} has not finished the upgrade. Its log says how far it is.`,
      );
    }
    await sleep(LOOK_MS);
  }
  const { upgraded, reason } = JSON.parse(readFileSync(file, "utf8")) as UpgradeResult;
  if (!upgraded) {
    throw new HostError(`The upgrade failed, and what ran goes on as it was: ${reason}`);
  }
  return pid;
}

/**
 * Builds the Worker beside the one that is there, sees that the runtime can load it, and puts it in place.
 * `build` writes the Worker to the path that it is given.
 */
export async function renewScript(
  scriptFile: string,
  build: (file: string) => void,
): Promise<void> {
  const beside = `${scriptFile}.new`;
  try {
    build(beside);
    await checkLoads(beside);
    renameSync(beside, scriptFile);
  } finally {
    rmSync(beside, { force: true });
  }
}

/** In a runtime of its own, with no data and no bindings: it starts if the script can be parsed and evaluated. */
export async function checkLoads(file: string): Promise<void> {
  const contents = readFileSync(file, "utf8");
  const runtime = new Runtime(
    {
      workers: [
        {
          name: "switchback",
          modules: [{ type: "ESModule" as const, path: "switchback.js", contents }],
          compatibilityDate: COMPATIBILITY_DATE,
        },
      ],
    },
    {
      onSpawn: () => undefined,
      onExit: () => undefined,
      onLost: () => undefined,
      onLog: () => undefined,
    },
  );
  try {
    await runtime.start();
  } catch (error) {
    throw new HostError(
      `The new build does not load, and nothing was changed: ${complaintIn(error)}.`,
    );
  } finally {
    // A runtime that has not started may refuse to be stopped.
    await runtime.stop(0).catch(() => undefined);
  }
}

/** Of what Miniflare reports, workerd's own message, to the end of its first line. */
function complaintIn(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return /"message":"service \S+ (.*?)(?:\\n|",)/.exec(text)?.[1] ?? text;
}

function launcherOf(directory: string): number {
  const pidFile = join(directory, "host.pid");
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
  // Signalling the wrong process would end it. Held and written here, the id is the holder's.
  if (!(pid > 1) || !isHeld(directory) || !isNode(pid)) {
    throw new HostError(
      `No Switchback runs on ${directory}. Start it with npm start, or name its --data.`,
    );
  }
  return pid;
}

function isHeld(directory: string): boolean {
  try {
    openDataDirectory(directory).release();
    return false;
  } catch {
    return true;
  }
}

function isNode(pid: number): boolean {
  try {
    return commandOf(pid).includes("node");
  } catch {
    return false;
  }
}

function commandOf(pid: number): string {
  if (process.platform === "linux") return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  return execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" });
}

/** Asks a running host to go over to the code that lies here now, and waits for the outcome. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { holdLock, type HeldLock } from "./backup-lock.ts";
import { HostError } from "./host-error.ts";
import { PREPARE_MS_MAX, TAKE_MS_MAX, YIELD_MS_MAX } from "./launcher-limits.ts";
import { UPGRADE_FILE } from "./run-launcher.ts";
import { COMPATIBILITY_DATE } from "./compatibility-date.ts";
import { Runtime } from "./runtime.ts";
import type { UpgradeResult } from "./upgrade.ts";

/** The launcher waits for the first start, too, if that is not over yet, and for the old one to have everything back. */
const OUTCOME_MS_MAX = PREPARE_MS_MAX + YIELD_MS_MAX + 3 * TAKE_MS_MAX;
const LOOK_MS = 100;

/**
 * `renew` puts the new code in place, if that is not done yet; it is not called unless a host runs there.
 * Gives the launcher's process id. Throws a HostError if no host runs there, if another upgrade of it is under
 * way, or if it goes on as it was.
 */
export async function requestUpgrade(
  dataDirectory: string,
  renew: () => Promise<void> = async () => undefined,
): Promise<number> {
  const directory = resolve(dataDirectory);
  // Before looking: during a handover nobody holds the directory for a moment.
  const turn = await takeTurn(directory);
  try {
    await launcherOf(directory);
    await renew();
    // Again: building takes its time.
    const pid = await launcherOf(directory);
    const { upgraded, reason } = await outcomeOf(pid, join(directory, UPGRADE_FILE));
    if (upgraded) return pid;
    throw new HostError(`The upgrade failed, and what ran goes on as it was: ${reason}`);
  } finally {
    turn.release();
  }
}

/** The outcome has one place: of two that ask, one would read what the other was told. */
const takeTurn = (directory: string): Promise<HeldLock> =>
  takeTurnAt(directory, "upgrade.lock", "npm run upgrade");

/** Throws a HostError if `directory` is no host's, or while another process does this there. */
export async function takeTurnAt(directory: string, lock: string, what: string): Promise<HeldLock> {
  // Nothing is to be written to a directory of something else.
  if (!existsSync(join(directory, "installation.json"))) throw noHost(directory);
  const turn = await tryLock(directory, lock);
  if (turn) return turn;
  throw new HostError(
    `Another ${what} of ${directory} is under way, and goes on. Ask again when it has ended.`,
  );
}

async function tryLock(directory: string, name: string): Promise<HeldLock | undefined> {
  try {
    return await holdLock(join(directory, name), 0);
  } catch (error) {
    throw new HostError(
      `${join(directory, name)} cannot be locked (${messageOf(error)}). Run this as the user of the host.`,
    );
  }
}

async function outcomeOf(pid: number, file: string): Promise<UpgradeResult> {
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
  return JSON.parse(readFileSync(file, "utf8")) as UpgradeResult;
}

/**
 * Builds the Worker and its source map in a directory beside the one that they are for, sees that the runtime
 * can load it, and puts both in place, readable by all. `build` writes the Worker to the path that it is given,
 * and the map to that path with `.map`. Throws a HostError, with nothing changed, if that fails.
 */
export async function renewScript(
  scriptFile: string,
  build: (file: string) => void,
): Promise<void> {
  const directory = dirname(scriptFile);
  // The host may run as another user than the one who builds.
  const umask = process.umask(0o022);
  // On the same level, so that the map's paths hold; on the same disk, so that both can be renamed.
  const beside = mkdtempSync(`${directory}.new-`);
  const remove = () => rmSync(beside, { recursive: true, force: true });
  // Also if a signal ends this process.
  process.once("exit", remove);
  try {
    const file = join(beside, basename(scriptFile));
    buildOrRefuse(build, file);
    await checkLoads(file);
    mkdirSync(directory, { recursive: true });
    renameSync(file, scriptFile);
    if (existsSync(`${file}.map`)) renameSync(`${file}.map`, `${scriptFile}.map`);
  } finally {
    process.umask(umask);
    process.off("exit", remove);
    remove();
  }
}

function buildOrRefuse(build: (file: string) => void, file: string): void {
  try {
    build(file);
  } catch (error) {
    // What a builder complains about it has printed.
    const isSystem = error instanceof Error && "syscall" in error;
    const reason = isSystem ? ` (${messageOf(error)})` : "";
    throw new HostError(`The build failed, and nothing was changed${reason}.`);
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

async function launcherOf(directory: string): Promise<number> {
  const pidFile = join(directory, "host.pid");
  const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
  // Signalling the wrong process would end it. Held and written here, the id is the holder's.
  if (!(pid > 1) || !(await isHeld(directory)) || !isNode(pid)) {
    throw noHost(directory);
  }
  return pid;
}

/** Looks only: after a host that was killed, its process id has to stay for the next start. */
async function isHeld(directory: string): Promise<boolean> {
  const lock = await tryLock(directory, "lock");
  lock?.release();
  return lock === undefined;
}

function noHost(directory: string): HostError {
  return new HostError(
    `No Switchback runs on ${directory}. Start it with npm start, or name its --data.`,
  );
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

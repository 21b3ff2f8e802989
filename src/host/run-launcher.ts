/** The launcher's process: arguments in, the public socket, supervisors, signals, exit code. */
import { existsSync, writeFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { ORPHAN_MS_MAX } from "../domain/limits.ts";
import { fail, settingsOrExit } from "./command.ts";
import { Launcher } from "./launcher.ts";
import { createLog } from "./log.ts";
import { openPublicSocket, type PublicSocket } from "./public-socket.ts";
import type { Environment } from "./settings.ts";
import { SupervisorChild } from "./supervisor-child.ts";
import type { UpgradeResult } from "./upgrade.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** In the data directory: the outcome of the last upgrade, for whoever asked for it. */
export const UPGRADE_FILE = "upgrade.json";

/** Runs until a signal or until no supervisor can be kept running. Exit codes: 0 stopped in order, 1 could not start or go on, 2 wrong usage. */
export async function runLauncher(
  argv: readonly string[],
  env: Environment,
  { supervisorFile }: { readonly supervisorFile: string },
): Promise<void> {
  process.umask(0o077);
  process.stdout.on("error", () => undefined);
  const settings = settingsOrExit(argv, env);
  let socket: PublicSocket;
  try {
    // A host that was killed left its process id behind; what it ran may be about to end.
    const unclean = existsSync(join(settings.dataDirectory, "host.pid"));
    const patienceMs = unclean ? ORPHAN_MS_MAX : 0;
    socket = await openPublicSocket({ ...settings, patienceMs }, env);
  } catch (error) {
    fail(error, 1);
  }
  const { LISTEN_PID: _pid, LISTEN_FDS: _fds, LISTEN_FDNAMES: _names, ...passedOn } = env;
  const command = { file: supervisorFile, argv, env: passedOn, listener: socket };
  const launcher = new Launcher({
    spawn: (launch) => new SupervisorChild(command, launch),
    log: createLog(
      (text) => process.stdout.write(text),
      () => new Date(),
      { format: settings.logFormat, writer: "launcher" },
    ),
    exit: (code) => process.exit(code),
    onUpgrade: (result) => publish(settings.dataDirectory, result),
    now: () => performance.now(),
  });
  for (const name of SIGNALS) {
    process.on(name, () => {
      // Nobody will accept any more: connections are to be refused at once, and not to wait for nothing. Systemd's
      // socket listens on, for systemd has it too.
      socket.close();
      launcher.stop(name);
    });
  }
  process.on("SIGUSR1", () => launcher.restartGateways());
  process.on("SIGUSR2", () => void launcher.upgrade());
  launcher.start();
}

/** Whole or not at all: somebody waits for this file to appear. The log has the same. */
function publish(dataDirectory: string, result: UpgradeResult): void {
  const file = join(dataDirectory, UPGRADE_FILE);
  try {
    writeFileSync(`${file}.new`, `${JSON.stringify(result)}\n`);
    renameSync(`${file}.new`, file);
  } catch {
    // A full disk is no reason to end what runs.
  }
}

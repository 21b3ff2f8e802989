/**
 * One self-hosted Switchback: data directory, migrations, control process, gateways, front, supervision. Everything
 * that can be refused is refused before anybody is served.
 */
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDataDirectory, type DataDirectory } from "./data-directory.ts";
import { certificatesConfig } from "./gateway-config.ts";
import { HostError, reasonOf } from "./host-error.ts";
import { openInstallation } from "./installation.ts";
import { applyMigrations, readMigrations } from "./migrations.ts";
import { killOrphans, startOrphanGuard, type OrphanGuard } from "./orphan-guard.ts";
import { extraCertificates } from "./own-network.ts";
import {
  makeRunDirectory,
  removeOldRunDirectories,
  RUN_FILES,
  type RunDirectory,
} from "./run-directory.ts";
import { type Host, RunningHost, type RunParts } from "./running-host.ts";
import { migrationRuntimeOptions } from "./runtime-options.ts";
import { Runtime } from "./runtime.ts";
import type { Settings } from "./settings.ts";

/** What a host is made of besides its settings. */
export interface HostParts extends RunParts {
  /** Path of the bundled Worker. */
  readonly scriptFile: string;
  /** Directory of the migrations, `*.sql`. */
  readonly migrationsDirectory: string;
}

export function readScript(file: string): string {
  if (!existsSync(file)) {
    throw new HostError(`The built Worker ${file} is missing. Run "npm run build" first.`);
  }
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    throw new HostError(
      `The built Worker ${file} cannot be read (${reasonOf(error)}). Mend its permissions, or run "npm run build" as the user of this process.`,
    );
  }
}

/** Rejects with a HostError if the operator can mend it. Leaves nothing running then. */
export async function startHost(settings: Settings, parts: HostParts): Promise<Host> {
  const script = readScript(parts.scriptFile);
  const directory = openDataDirectory(settings.dataDirectory, parts.hostPid);
  let guard: OrphanGuard | undefined;
  let run: RunDirectory | undefined;
  try {
    if (directory.unclean) {
      const pids = await killOrphans(directory.runtimePidFile);
      if (pids.length > 0) {
        parts.log.event("warn", "processes of a killed host ended", { pids: pids.join(",") });
      }
      removeOldRunDirectories(directory.path);
    }
    const opened = openInstallation(directory, settings);
    guard = startOrphanGuard(directory.runtimePidFile);
    await migrate(directory, parts, guard);
    run = prepareRun(directory, parts.scriptFile);
    const host = new RunningHost({ settings, parts, directory, opened, script, guard, run });
    await host.start();
    opened.keep();
    return host;
  } catch (error) {
    guard?.release();
    run?.remove();
    directory.release();
    throw error;
  }
}

/** With what all gateways read. */
function prepareRun(directory: DataDirectory, scriptFile: string): RunDirectory {
  let run: RunDirectory | undefined;
  try {
    run = makeRunDirectory(directory.path);
    copyFileSync(scriptFile, join(run.path, RUN_FILES.script));
    writeFileSync(join(run.path, RUN_FILES.certificates), certificatesConfig(extraCertificates()));
    return run;
  } catch (error) {
    run?.remove();
    throw new HostError(
      `The files of the processes cannot be written to ${run?.path ?? directory.path} (${reasonOf(error)}). Make room on that disk, or mend its permissions.`,
    );
  }
}

/** In a runtime of its own with nothing but the database, before anything listens in public. */
async function migrate(
  directory: DataDirectory,
  parts: HostParts,
  guard: OrphanGuard,
): Promise<void> {
  const runtime = new Runtime(migrationRuntimeOptions(directory.storage), {
    onSpawn: guard.add,
    onExit: guard.remove,
    onLost: () => undefined,
    onLog: () => undefined,
  });
  try {
    await runtime.start();
    const database = await runtime.database("DB");
    const applied = await applyMigrations(database, readMigrations(parts.migrationsDirectory));
    for (const name of applied) parts.log.event("info", "migration applied", { name });
  } catch (error) {
    if (error instanceof HostError) throw error;
    throw new HostError(
      `The database in ${directory.storage} cannot be opened: ${reasonOf(error)}.`,
    );
  } finally {
    // One that could not be started cannot be stopped either; why is told above.
    await runtime.stop(0).catch(() => undefined);
  }
}

/**
 * The same script as one Worker in one process that listens itself: no front, no doors between processes. What a
 * host costs is measured against it, and code against code inside it. Ends with the benchmark, however that ends.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { openDataDirectory, type DataDirectory } from "../../src/host/data-directory.ts";
import { readScript } from "../../src/host/host.ts";
import { openInstallation } from "../../src/host/installation.ts";
import { applyMigrations, readMigrations } from "../../src/host/migrations.ts";
import { startOrphanGuard } from "../../src/host/orphan-guard.ts";
import { claimPort } from "../../src/host/port.ts";
import {
  controlOptions,
  controlSockets,
  internetAccess,
  migrationRuntimeOptions,
  type ControlInput,
} from "../../src/host/runtime-options.ts";
import { Runtime } from "../../src/host/runtime.ts";
import { dataSockets } from "../../src/host/store-options.ts";
import { parseSettings } from "../../src/host/settings.ts";

const MIGRATIONS = fileURLToPath(new URL("../../migrations", import.meta.url));
const START_MS_MAX = 30_000;
const LOOK_MS = 20;

const settings = parseSettings(process.argv.slice(2), process.env);
if (settings === "help") throw new Error("There is no help here.");
const directory = openDataDirectory(settings.dataDirectory);
const guard = startOrphanGuard(directory.runtimePidFile);
const events = {
  onSpawn: guard.add,
  onExit: guard.remove,
  onLost: (reason: string) => {
    console.error(`The runtime was lost: ${reason}.`);
    process.exit(1);
  },
  onLog: () => undefined,
};
const opened = openInstallation(directory, settings);
opened.keep();
await migrate(directory);
const port = await claimPort(settings.host, settings.port, 0);
const runtime = new Runtime(
  oneProcessOptions({
    settings,
    installation: opened.installation,
    script: readScript(process.env["BENCH_SCRIPT_FILE"] ?? ""),
    storage: directory.storage,
    port,
    sockets: controlSockets("/unused"),
    data: dataSockets("/unused", 0),
  }),
  events,
);
await runtime.start();
for (const signal of ["SIGTERM", "disconnect"]) process.once(signal, () => void stop());
await answers(port);
console.log(`ready url=http://localhost:${port}`);
process.channel?.unref();

/** Everything that the processes of a host have between them. */
function oneProcessOptions(input: ControlInput) {
  const { workers, ...shared } = controlOptions(input);
  const [control] = workers;
  if (control === undefined) throw new Error("The control process has no Worker.");
  const { ROLE: _, ...bindings } = control.bindings;
  const { allow, deny } = internetAccess(input.settings, []);
  const tlsOptions = { trustBrowserCas: true };
  return {
    ...shared,
    workers: [
      {
        ...control,
        bindings,
        workerLoaders: { LOADER: {} },
        serviceBindings: {
          INTERNET: { network: { allow: [...allow], deny: [...deny], tlsOptions } },
        },
        unsafeDirectSockets: [{ host: input.settings.host, port: input.port }],
      },
    ],
  };
}

async function migrate({ storage }: DataDirectory): Promise<void> {
  const migrating = new Runtime(migrationRuntimeOptions(storage), events);
  await migrating.start();
  await applyMigrations(await migrating.database("DB"), readMigrations(MIGRATIONS));
  await migrating.stop(0);
}

async function answers(on: number): Promise<void> {
  const deadline = performance.now() + START_MS_MAX;
  while (performance.now() < deadline) {
    const answer = await fetch(`http://localhost:${on}/healthz`).catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(LOOK_MS);
  }
  throw new Error("The Worker did not answer its health probe.");
}

async function stop(): Promise<void> {
  await runtime.stop(0);
  guard.release();
  directory.release();
  process.exit(0);
}

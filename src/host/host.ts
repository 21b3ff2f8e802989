/**
 * Starts one self-hosted Switchback: data directory, migrations, runtime, supervision. Everything that
 * can be refused is refused before the public port opens.
 */
import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { DRAIN_MS_MAX, ORPHAN_MS_MAX } from "../domain/limits.ts";
import { openDataDirectory, type DataDirectory } from "./data-directory.ts";
import { probe, reachableAddress } from "./health.ts";
import { HostError, reasonOf } from "./host-error.ts";
import { openInstallation, type Installation } from "./installation.ts";
import type { Log } from "./log.ts";
import { applyMigrations, readMigrations } from "./migrations.ts";
import { killOrphan, startOrphanGuard } from "./orphan-guard.ts";
import { claimPort } from "./port.ts";
import { passRuntimeLog } from "./runtime-log.ts";
import {
  controlHosts,
  migrationRuntimeOptions,
  publicUrl,
  runtimeOptions,
} from "./runtime-options.ts";
import { Runtime } from "./runtime.ts";
import type { Settings } from "./settings.ts";
import { HEALTH_POLICY, Supervisor, type HealthPolicy } from "./supervisor.ts";

/** What a host is made of besides its settings. */
export interface HostParts {
  /** Path of the bundled Worker. */
  readonly scriptFile: string;
  /** Directory of the migrations, `*.sql`. */
  readonly migrationsDirectory: string;
  readonly log: Log;
  /** Called if the runtime is lost for good; the host is of no use then. */
  readonly onGivenUp?: () => void;
  readonly health?: HealthPolicy;
  readonly drainMs?: number;
}

export interface Host {
  /** Where clients reach the API, e.g. `http://localhost:8787`. */
  readonly url: string;
  readonly port: number;
  readonly accountId: string;
  readonly dataDirectory: string;
  /** Made at this start and stored nowhere; undefined if the token is the stored or the preset one. */
  readonly newRootToken: string | undefined;
  /** Process id of the runtime; another one after each restart. */
  pid(): number | undefined;
  /** Drains, ends the runtime and releases the data directory. May be called again. */
  stop(): Promise<void>;
}

/** Rejects with a HostError if the operator can mend it. Leaves nothing running then. */
export async function startHost(settings: Settings, parts: HostParts): Promise<Host> {
  const script = readScript(parts.scriptFile);
  const directory = openDataDirectory(settings.dataDirectory);
  try {
    const orphan = killOrphan(directory.runtimePidFile);
    if (orphan !== undefined) {
      parts.log.event("warn", "runtime of a killed host ended", { pid: orphan });
    }
    const port = await claimPort(
      settings.host,
      settings.port,
      directory.unclean ? ORPHAN_MS_MAX : 0,
    );
    const opened = openInstallation(directory, settings);
    await migrate(directory, parts);
    const { installation } = opened;
    const running = await startRuntime({ settings, parts, directory, installation, script, port });
    opened.keep();
    let stopped: Promise<void> | undefined;
    return {
      url: publicUrl(settings, port),
      port,
      accountId: installation.accountId,
      dataDirectory: directory.path,
      newRootToken: opened.newRootToken,
      pid: running.pid,
      stop: () => (stopped ??= running.stop().finally(() => directory.release())),
    };
  } catch (error) {
    directory.release();
    throw error;
  }
}

function readScript(file: string): string {
  if (!existsSync(file)) {
    throw new HostError(`The built Worker ${file} is missing. Run "npm run build" first.`);
  }
  return readFileSync(file, "utf8");
}

/** In a runtime of its own with nothing but the database, before anything listens in public. */
async function migrate(directory: DataDirectory, parts: HostParts): Promise<void> {
  const guard = startOrphanGuard(directory.runtimePidFile);
  const runtime = new Runtime(migrationRuntimeOptions(directory.storage), {
    onProcess: guard.watch,
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
    await runtime.stop(0);
    guard.release();
  }
}

interface RuntimeStart {
  readonly settings: Settings;
  readonly parts: HostParts;
  readonly directory: DataDirectory;
  readonly installation: Installation;
  readonly script: string;
  readonly port: number;
}

/** Resolves when the runtime has answered a health probe with 200. */
async function startRuntime({
  settings,
  parts,
  directory,
  installation,
  script,
  port,
}: RuntimeStart) {
  const { log, health = HEALTH_POLICY, drainMs = DRAIN_MS_MAX } = parts;
  const guard = startOrphanGuard(directory.runtimePidFile);
  const runtime = new Runtime(
    runtimeOptions({
      settings,
      installation,
      script,
      port,
      storage: directory.storage,
      ownAddresses: ownAddresses(),
      trustedCertificates: extraCertificates(),
    }),
    {
      onProcess: guard.watch,
      onLost: (reason) => supervisor.lost(reason),
      onLog: (entry) => passRuntimeLog(entry, log),
    },
  );
  const address = {
    host: reachableAddress(settings.host),
    port,
    controlHost: controlHosts(settings)[0] ?? "localhost",
  };
  const supervisor = new Supervisor({
    patient: runtime,
    probe: (timeoutMs) => probe(address, timeoutMs),
    policy: health,
    log,
    onGivenUp: parts.onGivenUp ?? (() => undefined),
    now: () => performance.now(),
  });
  const stop = async (limitMs: number) => {
    await supervisor.stop();
    await runtime.stop(limitMs);
    guard.release();
  };
  try {
    await runtime.start();
    const { ready, status } = await supervisor.ready(200);
    if (!ready) {
      const answer = status === undefined ? "no answer in time" : `status ${status}`;
      throw new HostError(`The runtime started, but its health probe got ${answer}.`);
    }
  } catch (error) {
    await stop(0);
    if (error instanceof HostError) throw error;
    throw new HostError(`The runtime could not be started: ${reasonOf(error)}`);
  }
  supervisor.start();
  return { pid: () => runtime.pid, stop: () => stop(drainMs) };
}

function ownAddresses(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((interfaces) => interfaces ?? []);
  return [...new Set(addresses.map(({ address }) => address))];
}

/** The authorities that this machine's operator trusts besides the system's, as Node itself takes them. */
function extraCertificates(): string[] {
  const file = process.env["NODE_EXTRA_CA_CERTS"];
  if (!file || !existsSync(file)) return [];
  return (
    readFileSync(file, "utf8").match(
      /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g,
    ) ?? []
  );
}

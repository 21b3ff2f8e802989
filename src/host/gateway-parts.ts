/** What each gateway process of a host is started with. */
import { join } from "node:path";
import { DOOR_BINDINGS, type DoorName } from "../domain/doors.ts";
import { dataSockets } from "./store-options.ts";
import type { GatewayKind } from "./gateway-process.ts";
import type { HostCounters } from "./metrics/host-counters.ts";
import { ownAddresses } from "./own-network.ts";
import { RUN_FILES } from "./run-directory.ts";
import type { Log } from "./log.ts";
import type { Settings } from "./settings.ts";
import { passRuntimeLog, type RuntimeLogEntry } from "./runtime-log.ts";
import { controlSockets, gatewayVariables, internetAccess } from "./runtime-options.ts";

/** Where processes ask before they run a version. */
export const announcementSocket = (runDirectory: string): string =>
  join(runDirectory, "supervisor.sock");

/** Whose Durable Objects a process of that kind has, and where they are stored. */
export interface ObjectsOfWorker {
  readonly workerId: string;
  readonly storage: string;
}

export const gatewayParts =
  (settings: Settings, runDirectory: string, log: Log, counters: HostCounters) =>
  (name: string, kind: GatewayKind, poolAnnounces: boolean, objects?: ObjectsOfWorker) => {
    const sockets = controlSockets(runDirectory);
    const data = dataSockets(runDirectory, settings.objectProcesses);
    counters.gatewayStarted(kind);
    const announces = kind === "quarantine" || (kind === "pool" && poolAnnounces);
    return {
      runDirectory,
      ...(kind === "trial" ? { internalSocketPath: sockets.trial } : {}),
      config: {
        ...RUN_FILES,
        variables: gatewayVariables(settings, name, kind),
        controlSocketPath: sockets.internal,
        supervisorSocketPath: announces ? announcementSocket(runDirectory) : undefined,
        internet: internetAccess(settings, ownAddresses()),
        doors: doorPaths(data.stores.doors),
        directorySocketPath: data.directory,
        objectSockets: data.slots,
        ...(objects === undefined ? {} : { objects }),
      },
      onLog: (entry: RuntimeLogEntry) => passRuntimeLog(entry, name, log),
      onSuppressed: (lines: number) => {
        counters.linesSuppressed(lines);
        log.event("warn", "lines suppressed", { lines, process: name });
      },
    };
  };

/** By what they are called in the environment. */
const doorPaths = (doors: Readonly<Record<DoorName, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(doors).map(([door, path]) => [DOOR_BINDINGS[door as DoorName], path]),
  );

/**
 * The configuration of the processes that keep what deployed Workers store. The `sql` process is apart from the
 * others because a query is deployed code: one that never ends blocks its process.
 */
import { join } from "node:path";
import { DOOR_BINDINGS, type DoorName } from "../domain/doors.ts";
import { COMPATIBILITY_DATE } from "./compatibility-date.ts";
import { directSocket, shared } from "./miniflare-options.ts";

export type StoreKind = "data" | "sql";

/** The doors of each, by the entrypoint's name. */
export const STORE_DOORS = {
  data: ["KvStore", "R2Store", "QueueStore", "CacheStore", "RateLimitStore"],
  sql: ["D1Store", "AnalyticsStore"],
} as const satisfies Record<StoreKind, readonly DoorName[]>;

/** Paths of Unix sockets in a host's run directory. */
export interface StoreSockets {
  /** Answers health probes. */
  readonly alive: Readonly<Record<StoreKind, string>>;
  readonly doors: Readonly<Record<DoorName, string>>;
}

const DOORS = Object.keys(DOOR_BINDINGS) as DoorName[];

export const storeSockets = (runDirectory: string): StoreSockets => ({
  alive: {
    data: join(runDirectory, "data.sock:0"),
    sql: join(runDirectory, "sql.sock:0"),
  },
  doors: Object.fromEntries(
    DOORS.map((door) => [door, join(runDirectory, `${SHORT[door]}.sock:0`)]),
  ) as Record<DoorName, string>,
});

/** A socket's path has no room for long names. */
const SHORT: Readonly<Record<DoorName, string>> = {
  KvStore: "kv",
  R2Store: "r2",
  D1Store: "d1",
  QueueStore: "queues",
  CacheStore: "cache",
  AnalyticsStore: "analytics",
  RateLimitStore: "ratelimit",
};

/** By environment name: services of a Miniflare process that lead to every door. */
export const doorServices = ({ doors }: StoreSockets) =>
  Object.fromEntries(
    DOORS.map((door) => [
      DOOR_BINDINGS[door],
      { external: { address: `unix:${doors[door]}`, http: {} } },
    ]),
  );

/** Paths of the sockets that gateways ask at. */
export interface DataSockets {
  readonly stores: StoreSockets;
  readonly directory: string;
  readonly slots: readonly string[];
}

export const dataSockets = (runDirectory: string, slots: number): DataSockets => ({
  stores: storeSockets(runDirectory),
  directory: join(runDirectory, "objects.sock"),
  slots: Array.from({ length: slots }, (_, slot) => join(runDirectory, `objects-${slot}.sock`)),
});

/** By environment name: services of a Miniflare process that lead to the slots of Durable Objects. */
export const objectServices = ({ slots }: DataSockets) =>
  Object.fromEntries(
    slots.map((path, slot) => [
      `OBJECTS_${slot}`,
      { external: { address: `unix:${path}`, http: {} } },
    ]),
  );

/** Where a kind of process keeps what it stores, below the host's storage. */
export const storeStorage = (storage: string, kind: StoreKind): string => join(storage, kind);

/** What a process keeps there only for as long as it lives: it counts what it has stored itself. */
export const passingStorage = (storage: string, kind: StoreKind): string =>
  join(storeStorage(storage, kind), "cache");

export interface StoreInput {
  readonly kind: StoreKind;
  /** The bundled Worker. */
  readonly script: string;
  /** The host's. */
  readonly storage: string;
  readonly sockets: StoreSockets;
  /** Where events for Workers are brought to the supervisor. */
  readonly eventsSocket: string;
}

export function storeOptions({ kind, script, storage, sockets, eventsSocket }: StoreInput) {
  return {
    ...shared(storeStorage(storage, kind)),
    // For whoever looks at the processes of this machine.
    unsafeRuntimeEnv: { SWITCHBACK_ROOT_TOKEN: "", SWITCHBACK_PROCESS: kind },
    workers: [
      {
        name: "switchback",
        modules: [{ type: "ESModule" as const, path: "switchback.js", contents: script }],
        compatibilityDate: COMPATIBILITY_DATE,
        bindings: { ROLE: kind, CONTROL_HOSTS: "" },
        ...STORES[kind],
        serviceBindings: { EVENTS: { external: { address: `unix:${eventsSocket}`, http: {} } } },
        unsafeDirectSockets: [
          directSocket(sockets.alive[kind]),
          ...STORE_DOORS[kind].map((door) => directSocket(sockets.doors[door], door)),
        ],
      },
    ],
  };
}

const object = (className: string) => ({ className, useSQLite: true });

const STORES = {
  data: {
    r2Buckets: { TENANT_OBJECTS: "tenant-objects" },
    durableObjects: {
      KV_NAMESPACES: object("KvNamespaceObject"),
      QUEUES: object("QueueObject"),
    },
  },
  sql: {
    durableObjects: {
      D1_DATABASES: object("D1DatabaseObject"),
      ANALYTICS: object("AnalyticsObject"),
    },
  },
};

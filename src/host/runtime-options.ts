/**
 * The whole configuration of the runtime, as one pure function: what wrangler.toml says for Cloudflare,
 * said for one machine. A test holds the two to the same names.
 */
import { join } from "node:path";
import { COMPATIBILITY_DATE } from "./compatibility-date.ts";
import type { GatewayKind } from "./gateway-process.ts";
import type { InternetAccess } from "./gateway-config.ts";
import type { Installation } from "./installation.ts";
import { directSocket, shared, SOCKET_SUFFIX } from "./miniflare-options.ts";
import type { Settings } from "./settings.ts";
import { type DataSockets, doorServices, objectServices } from "./store-options.ts";

/** Part of the storage's path: another name would be another, empty database. */
const DATABASE = "switchback";
/** Every process of one machine reads the same clock; what is left is the granularity of reading it. */
const ONE_CLOCK_DRIFT_PERMILLE = 1;
const ONE_CLOCK_SKEW_MS = 100;
const LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"];

/** Paths of Unix sockets. */
export interface ControlSockets {
  /** Where the front brings requests for the API. */
  readonly api: string;
  /** The control plane's door, for gateways and the supervisor. */
  readonly internal: string;
  /** Where the control process asks the gateway that starts uploads. */
  readonly trial: string;
  /** Where events for Workers are brought to the supervisor. */
  readonly events: string;
}

export interface ControlInput {
  readonly settings: Settings;
  readonly installation: Installation;
  /** The bundled Worker. */
  readonly script: string;
  readonly storage: string;
  /** The public port. */
  readonly port: number;
  readonly sockets: ControlSockets;
  readonly data: DataSockets;
}

/**
 * The control process: everything durable, and nothing that runs deployed code. `unsafe…` is Miniflare's word for
 * "may change", here the sockets on which it is asked.
 */
export function controlOptions(input: ControlInput) {
  const { sockets } = input;
  return {
    ...shared(input.storage),
    workers: [
      {
        name: "switchback",
        modules: [{ type: "ESModule" as const, path: "switchback.js", contents: input.script }],
        compatibilityDate: COMPATIBILITY_DATE,
        bindings: controlVariables(input),
        d1Databases: { DB: DATABASE },
        r2Buckets: { BLOBS: "switchback-blobs" },
        durableObjects: {
          WORKER_LOCK: { className: "WorkerLock", useSQLite: true },
          ROUTING_LOCK: { className: "RoutingLock", useSQLite: true },
          CRON_CLOCK: { className: "CronClock", useSQLite: true },
          TAIL_HUB: { className: "TailHub", useSQLite: true },
        },
        serviceBindings: {
          TRIAL: { external: { address: `unix:${sockets.trial}`, http: {} } },
          EVENTS: { external: { address: `unix:${sockets.events}`, http: {} } },
          ...doorServices(input.data.stores),
          OBJECTS_DIRECTORY: { external: { address: `unix:${input.data.directory}`, http: {} } },
          ...objectServices(input.data),
        },
        unsafeDirectSockets: [
          directSocket(sockets.api),
          directSocket(sockets.internal, "ControlPlaneEntrypoint"),
        ],
      },
    ],
  };
}

/** The control process's sockets in a directory that is this host's alone. */
export const controlSockets = (runDirectory: string): ControlSockets => ({
  api: join(runDirectory, `api.sock${SOCKET_SUFFIX}`),
  internal: join(runDirectory, `control.sock${SOCKET_SUFFIX}`),
  trial: join(runDirectory, "trial-in.sock"),
  events: join(runDirectory, "events.sock"),
});

/** Only the database, for migrations: nothing listens in public while the schema is not up to date. */
export function migrationRuntimeOptions(storage: string) {
  return {
    ...shared(storage),
    workers: [
      {
        name: "switchback",
        modules: true,
        script: "export default {}",
        compatibilityDate: COMPATIBILITY_DATE,
        d1Databases: { DB: DATABASE },
      },
    ],
  };
}

/** Host names on which the API answers. */
export function controlHosts(settings: Settings): string[] {
  const listening =
    settings.host.includes(":") && !settings.host.startsWith("[")
      ? `[${settings.host}]`
      : settings.host;
  const wildcard = ["0.0.0.0", "[::]", "*"].includes(listening);
  return [
    ...new Set([
      ...(settings.publicUrl ? [settings.publicUrl.hostname] : []),
      ...LOOPBACK_HOSTS,
      ...settings.controlHosts,
      ...(wildcard ? [] : [listening]),
    ]),
  ];
}

/** Where clients reach the API, without a slash at the end. */
export function publicUrl(settings: Settings, port: number): string {
  return settings.publicUrl?.origin ?? `http://localhost:${port}`;
}

/** What both kinds of process have to know alike. */
const sharedVariables = (settings: Settings): Record<string, string> => ({
  CONTROL_HOSTS: controlHosts(settings).join(","),
  WORKERS_DOMAIN: settings.workersDomain,
  VERSION_OVERRIDES: settings.versionOverrides,
  IDENTIFY_VERSIONS: settings.identifyVersions,
  ASSET_FALLBACK: settings.assetFallback,
  EGRESS: settings.egress,
  EGRESS_DENIED_HOSTS: settings.egressDeniedHosts,
});

/** No account, no token, no key: a gateway process knows only what running versions takes. */
export const gatewayVariables = (
  settings: Settings,
  name: string,
  kind: GatewayKind,
): Record<string, string> => ({
  ...sharedVariables(settings),
  ROLE: kind === "objects" ? "objects" : "gateway",
  GATEWAY_NAME: name,
});

function controlVariables({ settings, installation, port }: ControlInput): Record<string, string> {
  const url = new URL(publicUrl(settings, port));
  return {
    ...sharedVariables(settings),
    ROLE: "control",
    PUBLIC_SCHEME: url.protocol.slice(0, -1),
    PUBLIC_PORT: url.port || (url.protocol === "https:" ? "443" : "80"),
    ACCOUNT_ID: installation.accountId,
    ACCOUNT_NAME: settings.accountName,
    DEPLOYMENT_VERSIONS_MAX: String(settings.deploymentVersionsMax),
    DEPLOYABLE_VERSIONS_MAX: String(settings.deployableVersionsMax),
    BINDING_STUBS: settings.bindingStubs,
    LEASE_MS: String(settings.leaseMs),
    LEASE_DRIFT_PERMILLE: String(ONE_CLOCK_DRIFT_PERMILLE),
    LEASE_SKEW_MS: String(ONE_CLOCK_SKEW_MS),
    ROOT_TOKEN_SHA256: installation.rootTokenSha256,
    SECRETS_KEY: installation.secretsKey,
    ...(settings.faultPoint === undefined ? {} : { FAULT_POINT: settings.faultPoint }),
  };
}

/**
 * The network for calls of deployed code. The runtime checks addresses after it has resolved names. A
 * public address of this very machine counts as public, so it has to be denied by itself.
 */
export function internetAccess(
  settings: Settings,
  ownAddresses: readonly string[],
): InternetAccess {
  const own = ownAddresses.map((ip) => `${ip}/${ip.includes(":") ? 128 : 32}`);
  return {
    allow: settings.egress === "open" ? ["public", "private", "local"] : ["public"],
    deny: [...(settings.egress === "open" ? [] : own), ...settings.egressDeniedAddresses],
  };
}

/**
 * The whole configuration of the runtime, as one pure function: what wrangler.toml says for Cloudflare,
 * said for one machine. A test holds the two to the same names.
 */
import { join } from "node:path";
import type { Installation } from "./installation.ts";
import type { Settings } from "./settings.ts";

/** The newest date that the pinned runtime knows; the same as in wrangler.toml. */
export const COMPATIBILITY_DATE = "2026-10-23";
/** Part of the storage's path: another name would be another, empty database. */
const DATABASE = "switchback";
/** Every process of one machine reads the same clock; what is left is the granularity of reading it. */
const ONE_CLOCK_DRIFT_PERMILLE = 1;
const ONE_CLOCK_SKEW_MS = 100;
const LOOPBACK_HOSTS = ["localhost", "127.0.0.1", "[::1]"];

export interface RuntimeInput {
  readonly settings: Settings;
  readonly installation: Installation;
  /** The bundled Worker. */
  readonly script: string;
  readonly storage: string;
  /** The port that is really listened on. */
  readonly port: number;
  /** IP addresses of this machine's interfaces. */
  readonly ownAddresses: readonly string[];
  /** Extra certificate authorities for calls of deployed code, PEM. */
  readonly trustedCertificates: readonly string[];
}

/** Everything that serves. `unsafe…` is Miniflare's word for "may change", here the direct public socket. */
export function runtimeOptions(input: RuntimeInput) {
  const { settings, storage } = input;
  return {
    ...shared(storage),
    workers: [
      {
        name: "switchback",
        modules: [{ type: "ESModule" as const, path: "switchback.js", contents: input.script }],
        compatibilityDate: COMPATIBILITY_DATE,
        compatibilityFlags: ["nodejs_compat"],
        bindings: variables(input),
        d1Databases: { DB: DATABASE },
        r2Buckets: { BLOBS: "switchback-blobs" },
        workerLoaders: { LOADER: {} },
        versionMetadata: "CF_VERSION_METADATA",
        durableObjects: {
          WORKER_LOCK: { className: "WorkerLock", useSQLite: true },
          ROUTING_LOCK: { className: "RoutingLock", useSQLite: true },
        },
        serviceBindings: { INTERNET: { network: internet(input) } },
        unsafeDirectSockets: [{ host: settings.host, port: input.port }],
      },
    ],
  };
}

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

function shared(storage: string) {
  return {
    // Miniflare's own door. Nothing uses it but Miniflare; it stays on loopback, on a free port.
    host: "127.0.0.1",
    port: 0,
    cf: false as const,
    logRequests: false,
    // The runtime inherits the environment otherwise; it needs only the token's hash.
    unsafeRuntimeEnv: { SWITCHBACK_ROOT_TOKEN: "" },
    resourcePersistencePath: storage,
    resourceTmpPath: join(storage, "tmp"),
  };
}

function variables({ settings, installation, port }: RuntimeInput): Record<string, string> {
  const url = new URL(publicUrl(settings, port));
  return {
    CONTROL_HOSTS: controlHosts(settings).join(","),
    WORKERS_DOMAIN: settings.workersDomain,
    PUBLIC_SCHEME: url.protocol.slice(0, -1),
    PUBLIC_PORT: url.port || (url.protocol === "https:" ? "443" : "80"),
    ACCOUNT_ID: installation.accountId,
    ACCOUNT_NAME: settings.accountName,
    DEPLOYMENT_VERSIONS_MAX: String(settings.deploymentVersionsMax),
    VERSION_OVERRIDES: settings.versionOverrides,
    LEASE_MS: String(settings.leaseMs),
    LEASE_DRIFT_PERMILLE: String(ONE_CLOCK_DRIFT_PERMILLE),
    LEASE_SKEW_MS: String(ONE_CLOCK_SKEW_MS),
    IDENTIFY_VERSIONS: settings.identifyVersions,
    EGRESS: settings.egress,
    EGRESS_DENIED_HOSTS: settings.egressDeniedHosts,
    ROOT_TOKEN_SHA256: installation.rootTokenSha256,
    SECRETS_KEY: installation.secretsKey,
    ...(settings.faultPoint === undefined ? {} : { FAULT_POINT: settings.faultPoint }),
  };
}

/**
 * The network for calls of deployed code. The runtime checks addresses after it has resolved names. A
 * public address of this very machine counts as public, so it has to be denied by itself.
 */
function internet({ settings, ownAddresses, trustedCertificates }: RuntimeInput) {
  const own = ownAddresses.map((ip) => `${ip}/${ip.includes(":") ? 128 : 32}`);
  return {
    allow: settings.egress === "open" ? ["public", "private", "local"] : ["public"],
    deny: [...(settings.egress === "open" ? [] : own), ...settings.egressDeniedAddresses],
    tlsOptions: { trustBrowserCas: true, trustedCertificates: [...trustedCertificates] },
  };
}

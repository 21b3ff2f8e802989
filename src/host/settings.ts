/**
 * Flags and environment → the settings of one host. Pure: reads nothing but its arguments.
 * A flag wins over its variable; whatever is wrong is refused in one sentence, nothing is guessed.
 */
import { availableParallelism } from "node:os";
import {
  BLOCK_MS_DEFAULT,
  BLOCK_MS_MAX,
  BLOCK_MS_MIN,
  DEPLOYABLE_VERSIONS_HARD_MAX,
  DEPLOYMENT_VERSIONS_DEFAULT_MAX,
  DEPLOYMENT_VERSIONS_HARD_MAX,
  DRAIN_MS_DEFAULT,
  DRAIN_MS_MAX,
  GATEWAY_MEMORY_MB_DEFAULT,
  GATEWAY_MEMORY_MB_MAX,
  GATEWAY_MEMORY_MB_MIN,
  GATEWAYS_MAX,
  LEASE_MS_MAX,
  LEASE_MS_MIN,
  LEASE_MS_ONE_MACHINE,
  ROOT_TOKEN_CHARS_MAX,
  ROOT_TOKEN_CHARS_MIN,
  WALL_MS_DEFAULT,
  WALL_MS_MAX,
  WALL_MS_MIN,
} from "../domain/limits.ts";
import { OBJECT_PROCESSES_DEFAULT, OBJECT_PROCESSES_MAX } from "../domain/limits-data.ts";
import { isAddressBlock } from "./address-block.ts";
import { readFlags } from "./flags.ts";
import { HostError } from "./host-error.ts";
import type { LogFormat } from "./log.ts";

export interface Settings {
  /** 0: any free port. */
  readonly port: number;
  /** Address to listen on. */
  readonly host: string;
  readonly dataDirectory: string;
  readonly workersDomain: string;
  /** Host names besides the loopback ones on which the API answers. */
  readonly controlHosts: readonly string[];
  /** Where clients reach the API if a proxy stands in front. */
  readonly publicUrl: URL | undefined;
  /** "public": deployed code reaches the Internet only. "open": private networks and this machine too. */
  readonly egress: "public" | "open";
  readonly egressDeniedHosts: string;
  /** CIDR blocks that deployed code may not reach, besides this machine's own addresses. */
  readonly egressDeniedAddresses: readonly string[];
  readonly rootToken: string | undefined;
  readonly accountId: string | undefined;
  readonly accountName: string;
  readonly deploymentVersionsMax: number;
  /** So many of a Worker's most recently uploaded versions may be deployed; 0: all. */
  readonly deployableVersionsMax: number;
  readonly versionOverrides: string;
  /** Bindings that nothing here can run: refused at upload, or kept, to throw when they are used. */
  readonly bindingStubs: "refuse" | "allow";
  /** Durable Object processes at once. */
  readonly objectProcesses: number;
  /** How long a gateway may serve a Worker from memory, in milliseconds. */
  readonly leaseMs: number;
  readonly identifyVersions: string;
  readonly assetFallback: string;
  /** Gateway processes that serve visitors. */
  readonly gateways: number;
  /** CPU time for which deployed code may keep a gateway from anything else, in milliseconds. */
  readonly blockMsMax: number;
  /** From a request's arrival to the head of its answer, in milliseconds. */
  readonly wallMsMax: number;
  /** Memory at which a gateway is replaced, in MiB. */
  readonly gatewayMemoryMb: number;
  /** How long requests in flight may go on when their process is to end, in milliseconds. */
  readonly drainMs: number;
  /** What a line of the log looks like. */
  readonly logFormat: LogFormat;
  /** Tests only: where the control plane is to stop dead. */
  readonly faultPoint: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const FLAGS = {
  port: { type: "string" },
  host: { type: "string" },
  data: { type: "string" },
  "workers-domain": { type: "string" },
  "control-host": { type: "string", multiple: true },
  "public-url": { type: "string" },
  egress: { type: "string" },
  "lease-ms": { type: "string" },
  gateways: { type: "string" },
  "object-processes": { type: "string" },
  "block-ms": { type: "string" },
  "wall-ms": { type: "string" },
  "gateway-memory-mb": { type: "string" },
  "drain-ms": { type: "string" },
  log: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

/** Settings, or "help" if that was asked for. Throws a HostError for anything it does not understand. */
export function parseSettings(argv: readonly string[], env: Environment): Settings | "help" {
  const flags = readFlags(argv, FLAGS);
  if (flags.help) return "help";
  const preset = (name: string) => env[`SWITCHBACK_${name}`] || undefined;
  return {
    port: portOf(flags.port ?? preset("PORT") ?? "8787"),
    host: flags.host ?? preset("HOST") ?? "127.0.0.1",
    dataDirectory: flags.data ?? preset("DATA") ?? "./switchback-data",
    workersDomain: hostNameOf(
      "--workers-domain",
      flags["workers-domain"] ?? preset("WORKERS_DOMAIN") ?? "localhost",
    ),
    controlHosts: (flags["control-host"] ?? listOf(preset("CONTROL_HOSTS"))).map((name) =>
      hostNameOf("--control-host", name),
    ),
    publicUrl: publicUrlOf(flags["public-url"] ?? preset("PUBLIC_URL")),
    egress: oneOf("--egress", flags.egress ?? preset("EGRESS") ?? "public", ["public", "open"]),
    egressDeniedHosts: listOf(preset("EGRESS_DENIED_HOSTS")).join(","),
    egressDeniedAddresses: listOf(preset("EGRESS_DENIED_ADDRESSES")).map(addressBlockOf),
    rootToken: rootTokenOf(preset("ROOT_TOKEN")),
    accountId: accountIdOf(preset("ACCOUNT_ID")),
    accountName: preset("ACCOUNT_NAME") ?? "Switchback",
    deploymentVersionsMax: versionsMaxOf(preset("DEPLOYMENT_VERSIONS_MAX")),
    deployableVersionsMax: deployableMaxOf(preset("DEPLOYABLE_VERSIONS_MAX")),
    versionOverrides: oneOf(
      "SWITCHBACK_VERSION_OVERRIDES",
      preset("VERSION_OVERRIDES") ?? "public",
      ["public", "public-nonzero", "off"],
    ),
    bindingStubs: oneOf("SWITCHBACK_BINDING_STUBS", preset("BINDING_STUBS") ?? "refuse", [
      "refuse",
      "allow",
    ]),
    objectProcesses: numberOf(
      flags,
      env,
      "object-processes",
      OBJECT_PROCESSES_DEFAULT,
      1,
      OBJECT_PROCESSES_MAX,
    ),
    leaseMs: numberOf(flags, env, "lease-ms", LEASE_MS_ONE_MACHINE, LEASE_MS_MIN, LEASE_MS_MAX),
    gateways: numberOf(
      flags,
      env,
      "gateways",
      Math.min(availableParallelism(), GATEWAYS_MAX),
      1,
      GATEWAYS_MAX,
    ),
    blockMsMax: numberOf(flags, env, "block-ms", BLOCK_MS_DEFAULT, BLOCK_MS_MIN, BLOCK_MS_MAX),
    wallMsMax: numberOf(flags, env, "wall-ms", WALL_MS_DEFAULT, WALL_MS_MIN, WALL_MS_MAX),
    gatewayMemoryMb: numberOf(
      flags,
      env,
      "gateway-memory-mb",
      GATEWAY_MEMORY_MB_DEFAULT,
      GATEWAY_MEMORY_MB_MIN,
      GATEWAY_MEMORY_MB_MAX,
    ),
    drainMs: numberOf(flags, env, "drain-ms", DRAIN_MS_DEFAULT, 0, DRAIN_MS_MAX),
    logFormat: oneOf("--log", flags.log ?? preset("LOG") ?? "text", ["text", "json"]),
    assetFallback: oneOf("SWITCHBACK_ASSET_FALLBACK", preset("ASSET_FALLBACK") ?? "on", [
      "on",
      "off",
    ]),
    identifyVersions: oneOf("SWITCHBACK_IDENTIFY_VERSIONS", preset("IDENTIFY_VERSIONS") ?? "on", [
      "on",
      "off",
    ]),
    faultPoint: preset("FAULT_POINT"),
  };
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new HostError(`--port has to be a number from 0 to 65535, not "${text}".`);
  }
  return port;
}

/** One host name as URLs show it (lower case, punycode, brackets round IPv6), without a port. */
function hostNameOf(what: string, text: string): string {
  const url = URL.parse(`http://${text}`);
  if (!url || text === "" || /[/?#@\s]/.test(text) || url.port !== "" || /:\d*$/.test(text)) {
    throw new HostError(`${what} has to be a host name without scheme and port, not "${text}".`);
  }
  return url.hostname;
}

function publicUrlOf(text: string | undefined): URL | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (!url || !/^https?:$/.test(url.protocol) || url.pathname !== "/" || url.search || url.hash) {
    throw new HostError(
      `--public-url has to be like https://switchback.example.com, not "${text}".`,
    );
  }
  return url;
}

function oneOf<const T extends string>(what: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((item) => item === value);
  if (found === undefined) {
    throw new HostError(`${what} has to be one of ${allowed.join(", ")}, not "${value}".`);
  }
  return found;
}

function listOf(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}

function addressBlockOf(text: string): string {
  if (isAddressBlock(text)) return text;
  throw new HostError(
    `SWITCHBACK_EGRESS_DENIED_ADDRESSES has to be CIDR blocks with commas between them, like 203.0.113.7/32,2001:db8::/32; "${text}" is none.`,
  );
}

function rootTokenOf(token: string | undefined): string | undefined {
  const { length } = token ?? "";
  if (token === undefined) return undefined;
  if (
    length < ROOT_TOKEN_CHARS_MIN ||
    length > ROOT_TOKEN_CHARS_MAX ||
    !/^[\x21-\x7e]+$/.test(token)
  ) {
    throw new HostError(
      `SWITCHBACK_ROOT_TOKEN has to be ${ROOT_TOKEN_CHARS_MIN} to ${ROOT_TOKEN_CHARS_MAX} printable ASCII characters without spaces. ` +
        `A good one: printf 'sbk_%s\\n' "$(openssl rand -hex 32)"`,
    );
  }
  return token;
}

function accountIdOf(id: string | undefined): string | undefined {
  if (id !== undefined && !/^[A-Za-z0-9]{1,64}$/.test(id)) {
    throw new HostError(`SWITCHBACK_ACCOUNT_ID has to be 1 to 64 letters and digits, not "${id}".`);
  }
  return id;
}

/** A whole number within limits, from its flag or its variable. */
function numberOf(
  flags: Readonly<Record<string, string | boolean | string[] | undefined>>,
  env: Environment,
  flag: string,
  preset: number,
  min: number,
  max: number,
): number {
  const variable = `SWITCHBACK_${flag.toUpperCase().replaceAll("-", "_")}`;
  const given = flags[flag];
  const text = typeof given === "string" ? given : env[variable] || undefined;
  if (text === undefined) return preset;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw new HostError(`--${flag} has to be a whole number from ${min} to ${max}, not "${text}".`);
  }
  return value;
}

function versionsMaxOf(text: string | undefined): number {
  if (text === undefined) return DEPLOYMENT_VERSIONS_DEFAULT_MAX;
  const max = Number(text);
  if (!/^\d+$/.test(text) || max < 1 || max > DEPLOYMENT_VERSIONS_HARD_MAX) {
    throw new HostError(
      `SWITCHBACK_DEPLOYMENT_VERSIONS_MAX has to be a number from 1 to ${DEPLOYMENT_VERSIONS_HARD_MAX}, not "${text}".`,
    );
  }
  return max;
}

function deployableMaxOf(text = "0"): number {
  if (/^\d{1,7}$/.test(text) && Number(text) <= DEPLOYABLE_VERSIONS_HARD_MAX) return Number(text);
  throw new HostError(
    `SWITCHBACK_DEPLOYABLE_VERSIONS_MAX has to be a number from 0 (all) to ${DEPLOYABLE_VERSIONS_HARD_MAX}, not "${text}".`,
  );
}

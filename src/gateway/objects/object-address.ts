/** Which Durable Object is meant. Gateways make it of what the control plane says about a binding, and of the caller's id. */
import type { VersionId, WorkerId } from "../../domain/ids.ts";
import {
  OBJECT_NAME_BYTES_MAX,
  OBJECT_PATH_DEPTH_MAX,
  OBJECT_PATH_NAME_CHARS_MAX,
} from "../../domain/limits-durable.ts";
import { RESERVED_PREFIX } from "../injected-modules.ts";

export interface ObjectAddress {
  /** Whose class it is of: by its current deployment the object runs. Whoever has transferred it since is not the one any more. */
  readonly workerId: WorkerId;
  readonly namespaceId: string;
  /** In whose process and directory the object is, whoever it was transferred to. */
  readonly home: WorkerId;
  /** How often the namespace had been transferred when it was `workerId`'s. */
  readonly transfers: number;
  /** 64 hex digits. */
  readonly objectId: string;
  /** By which its id was made, if it was and whoever calls knows; null else. */
  readonly name: string | null;
}

/** The code by which a call is to run: that of the deployment `seq`. */
export interface ObjectDispatch {
  readonly seq: number;
  readonly versionId: VersionId;
}

/** Of the object that hosts it, in storage that all Workers' objects may share. */
export const hostName = ({ namespaceId, objectId }: ObjectAddress): string =>
  `${namespaceId}:${objectId}`;

/** How a `fetch` names its object, and its own URL, on the way from process to process; never seen by versions. */
export const OBJECT_HEADER = "x-switchback-object";

/** By which the object that hosts another one brings it its alarm, if its class takes no calls. Nobody else can send it. */
export const ALARM_HEADER = "x-switchback-alarm";

interface Envelope<T> {
  readonly target: T;
  readonly url: string;
  readonly cf: unknown;
}

/** `request.cf` above this many characters stays behind. Cloudflare's own is about 2,000. */
const CF_CHARS_MAX = 8_192;

/** A request that says which object it is for; the URL's scheme and `cf` would be lost between processes. */
export function seal<T>(request: Request, target: T): Request {
  const cf = JSON.stringify(request.cf ?? null);
  const envelope: Envelope<T> = {
    target,
    url: request.url,
    cf: cf.length > CF_CHARS_MAX ? null : JSON.parse(cf),
  };
  const headers = new Headers(request.headers);
  headers.set(OBJECT_HEADER, encodeURIComponent(JSON.stringify(envelope)));
  return new Request(request, { headers });
}

export function unseal<T>(sealed: Request): { readonly target: T; readonly request: Request } {
  const text = sealed.headers.get(OBJECT_HEADER);
  if (text === null) throw new Error("a request for an object that names none");
  const { target, url, cf } = JSON.parse(decodeURIComponent(text)) as Envelope<T>;
  const headers = new Headers(sealed.headers);
  headers.delete(OBJECT_HEADER);
  headers.delete(ALARM_HEADER);
  const init = { headers, cf: (cf ?? {}) as RequestInitCfProperties };
  return { target, request: new Request(url, new Request(sealed, init)) };
}

const OBJECT_ID = /^[0-9a-f]{64}$/;

/** What a version's isolate says about an object; throws unless it is one of those that are made there. */
export function readObjectId(objectId: unknown): string {
  if (typeof objectId !== "string" || !OBJECT_ID.test(objectId))
    throw new TypeError("Invalid Durable Object ID: must be 64 hex digits");
  return objectId;
}

/** Null for none, and for one that is too long to be told. */
export const readObjectName = (name: unknown): string | null =>
  typeof name === "string" && new TextEncoder().encode(name).byteLength <= OBJECT_NAME_BYTES_MAX
    ? name
    : null;

/**
 * Names of properties, from the object on. What every JavaScript object has would be looked up on the gateway's own stub
 * instead of on the object, and the injected methods are not the caller's.
 */
export function readPath(path: unknown): readonly string[] {
  if (!Array.isArray(path) || path.length === 0 || path.length > OBJECT_PATH_DEPTH_MAX)
    throw new TypeError(
      `A call of a Durable Object can reach ${OBJECT_PATH_DEPTH_MAX} properties deep.`,
    );
  return path.map((name, depth) => {
    if (
      typeof name !== "string" ||
      name.length > OBJECT_PATH_NAME_CHARS_MAX ||
      name in Object.prototype ||
      OWN_NAMES.has(name) ||
      (depth === 0 && (STUB_NAMES.has(name) || name.startsWith(RESERVED_PREFIX)))
    ) {
      throw new TypeError(
        `The RPC receiver does not implement the method "${String(name).slice(0, 100)}".`,
      );
    }
    return name;
  });
}

/** Of promises and functions. */
const OWN_NAMES: ReadonlySet<string> = new Set(["then", "catch", "finally", "prototype"]);
/** Of stubs. */
const STUB_NAMES: ReadonlySet<string> = new Set(["fetch", "connect", "dup"]);

import type { Binding, SecretText } from "./binding.ts";
import type { DurableClass, VersionDurable } from "./durable-migration.ts";
import type { VersionId, WorkerId } from "./ids.ts";

/** `modules` is ES modules; `service-worker` is the old `addEventListener` form, one script. */
export type Syntax = "modules" | "service-worker";

/** How the runtime is to read a module's bytes. */
export type ModuleType = "esm" | "cjs" | "text" | "data" | "wasm" | "json" | "python";

/** A module of a version: a name and where its bytes are. */
export interface ModuleRef {
  readonly name: string;
  readonly type: ModuleType;
  /** Hex SHA-256 of the bytes, their key in the blob store. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

export type VersionTrigger = "upload" | "version_upload" | "secret";

/** What a client says about a version. `other` holds further `workers/…` annotations verbatim. */
export interface VersionAnnotations {
  readonly triggeredBy: VersionTrigger;
  readonly message?: string;
  readonly tag?: string;
  readonly alias?: string;
  readonly other: Readonly<Record<string, string>>;
}

export interface NamedHandlers {
  readonly name: string;
  readonly handlers: readonly string[];
}

/** Who did something, and with what. */
export interface Author {
  readonly id: string;
  readonly email: string;
  /** `wrangler`, `api`, … as Cloudflare's `source`. */
  readonly source: string;
}

/** A version: immutable once stored. Its id never means other bytes, bindings or settings. */
export interface Version {
  readonly id: VersionId;
  readonly workerId: WorkerId;
  /** 1, 2, 3 … in order of upload, without gaps. */
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly createdOn: number;
  readonly author: Author;
  readonly annotations: VersionAnnotations;
  readonly syntax: Syntax;
  readonly mainModule: string;
  readonly modules: readonly ModuleRef[];
  /** Without secret values. */
  readonly bindings: readonly Binding[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  /** Event handlers of the default export, found by starting it. */
  readonly handlers: readonly string[];
  readonly namedHandlers: readonly NamedHandlers[];
  readonly startupTimeMs: number;
  /** Hex SHA-256 over code, settings and bindings, not secret values: clients see it as the etag. */
  readonly contentHash: string;
  /** Further versioned settings, verbatim: limits, placement, usage_model, cache_options, … */
  readonly settings: Readonly<Record<string, unknown>>;
  /** It has static assets. */
  readonly hasAssets?: boolean;
  /** The Durable Object classes that it was made for; absent: none. */
  readonly durable?: VersionDurable;
}

/** A module with its bytes, for the runtime. */
export interface LoadableModule {
  readonly name: string;
  readonly type: ModuleType;
  readonly bytes: Uint8Array;
}

/** All that the gateway needs to run a version. The only place where secret values are in the clear. */
export interface LoadableVersion {
  readonly id: VersionId;
  readonly workerId: WorkerId;
  readonly workerName: string;
  readonly number: number;
  readonly createdOn: number;
  readonly tag: string;
  readonly message: string;
  readonly syntax: Syntax;
  readonly mainModule: string;
  readonly modules: readonly LoadableModule[];
  readonly bindings: readonly Binding[];
  readonly secrets: readonly SecretText[];
  /** By binding name: where its resource is stored. What has no resource of its own, or one that is gone, is left out. */
  readonly resources: Readonly<Record<string, string>>;
  /** Its exported classes that Durable Objects are of; absent: none. */
  readonly durableClasses?: readonly DurableClass[];
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
  readonly contentHash: string;
}

/** What starting a version once, before anybody may deploy it, has shown. */
export type ProbeResult =
  | {
      readonly ok: true;
      /** Milliseconds from the load to the first answer. */
      readonly startupTimeMs: number;
      /** Of the default export; with `namedHandlers` empty too, the version can do nothing at all. */
      readonly handlers: readonly string[];
      readonly namedHandlers: readonly NamedHandlers[];
    }
  /** What the runtime said: the error and where it was thrown. */
  | { readonly ok: false; readonly message: string };

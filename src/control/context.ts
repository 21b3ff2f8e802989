import type { DurableObject } from "cloudflare:workers";
import type { AccountId, WorkerId } from "../domain/ids.ts";
import type { Author, LoadableVersion, ProbeResult } from "../domain/version.ts";
import type { BlobStore } from "../store/blobs.ts";
import type { Database } from "../store/database.ts";
import type { RoutingLock } from "./routing-lock.ts";
import type { SecretBox } from "./secret-box.ts";
import type { WorkerLock } from "./worker-lock.ts";

/** An object's methods as its callers have them: each answer comes later, and as plain data. */
type Calls<T, Names extends keyof T> = {
  readonly [Name in Names]: T[Name] extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Promise<Awaited<Answer>>
    : never;
};
export type WorkerLockCalls = Calls<WorkerLock, Exclude<keyof WorkerLock, keyof DurableObject>>;
export type RoutingLockCalls = Calls<RoutingLock, Exclude<keyof RoutingLock, keyof DurableObject>>;

/** The shell's dependencies, built once per request by the composition root. */
export interface ControlContext {
  readonly accountId: AccountId;
  readonly db: Database;
  readonly blobs: BlobStore;
  readonly secrets: SecretBox;
  workerLock(id: WorkerId): WorkerLockCalls;
  routingLock(): RoutingLockCalls;
  /** Start a version once, without a network, and throw it away. */
  probe(version: LoadableVersion): Promise<ProbeResult>;
  /** Milliseconds since 1970. */
  now(): number;
  /** UUID, lower case. */
  newId(): string;
}

/** A context on whose behalf something is changed. */
export interface ActingContext extends ControlContext {
  readonly actor: Author;
}

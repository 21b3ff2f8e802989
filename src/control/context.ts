import type { DurableObject } from "cloudflare:workers";
import type { Stores } from "../data/stores.ts";
import type { AccountId, WorkerId } from "../domain/ids.ts";
import type { Author, LoadableVersion, ProbeResult } from "../domain/version.ts";
import type { AssetBlobs } from "../store/asset-blobs.ts";
import type { BlobStore } from "../store/blobs.ts";
import type { Database } from "../store/database.ts";
import type { AssetTokens } from "./asset-tokens.ts";
import type { D1Files } from "../store/d1-files.ts";
import type { D1Links } from "./d1-links.ts";
import type { CronClock } from "./cron-clock.ts";
import type { ObjectsAdministrations } from "./objects-administration.ts";
import type { RoutingLock } from "./routing-lock.ts";
import type { SecretBox } from "./secret-box.ts";
import type { TailHub } from "./tail-hub.ts";
import type { TailKeys } from "./tail-keys.ts";
import type { WorkerLock } from "./worker-lock.ts";

/** An object's methods as its callers have them: each answer comes later, and as plain data. */
type Calls<T, Names extends keyof T> = {
  readonly [Name in Names]: T[Name] extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Promise<Awaited<Answer>>
    : never;
};
export type WorkerLockCalls = Calls<WorkerLock, Exclude<keyof WorkerLock, keyof DurableObject>>;
export type RoutingLockCalls = Calls<RoutingLock, Exclude<keyof RoutingLock, keyof DurableObject>>;
export type CronClockCalls = Calls<CronClock, "wake">;
export type TailHubCalls = Calls<TailHub, Exclude<keyof TailHub, keyof DurableObject>> & Fetcher;

/** The shell's dependencies, built once per request by the composition root. */
export interface ControlContext {
  readonly accountId: AccountId;
  readonly db: Database;
  readonly blobs: BlobStore;
  readonly secrets: SecretBox;
  readonly assetBlobs: AssetBlobs;
  readonly assetTokens: AssetTokens;
  /** The doors to what versions keep. */
  readonly stores: Stores;
  /** Where Durable Objects run. */
  readonly objects: ObjectsAdministrations;
  /** Files of SQL on their way into databases or out of them, and the links to them. */
  readonly d1Files: D1Files;
  readonly d1Links: D1Links;
  workerLock(id: WorkerId): WorkerLockCalls;
  routingLock(): RoutingLockCalls;
  cronClock(): CronClockCalls;
  tailHub(id: WorkerId): TailHubCalls;
  readonly tailKeys: TailKeys;
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

/** Where the Durable Objects of a Worker are run: those that it made, also when it has transferred their class. */
import type { WorkerId } from "../../domain/ids.ts";
import type { ObjectAddress } from "./object-address.ts";
import { unsealAnswer } from "./thrown-response.ts";

/** A page of a namespace's objects, by id. */
export interface ObjectsPage {
  readonly objectIds: readonly string[];
  /** There are more after the last. */
  readonly more: boolean;
}

/** The door of the process that runs them. `fetch` takes a request sealed by `object-address`. */
export interface ObjectsDoorCalls {
  /** Calls the method at a path of properties of the object. */
  call(address: ObjectAddress, path: readonly string[], args: readonly unknown[]): Promise<unknown>;
  /** The property at a path. */
  get(address: ObjectAddress, path: readonly string[]): Promise<unknown>;
  fetch(request: Request): Promise<Response>;
  /** `after`: exclusive; "" for the first page. */
  list(home: WorkerId, namespaceId: string, after: string, limit: number): Promise<ObjectsPage>;
  /** Erases all objects of a namespace for good. When it returns that is sure to happen, and soon. */
  erase(home: WorkerId, namespaceId: string): Promise<void>;
}

export interface ObjectsDirectory {
  /** Throws when there is none just now. */
  door(home: WorkerId): Promise<ObjectsDoorCalls>;
}

/** What a process says that was asked for the objects of a Worker whose process it is not: the directory has moved on. */
export const WRONG_PROCESS = "switchback: these objects are in another process";

export const isWrongProcess = (error: unknown): boolean =>
  error instanceof Error && error.message === WRONG_PROCESS;

/** Where all is one Worker, or it is this very process that runs them. */
export const ownObjects = (ctx: unknown): ObjectsDirectory => ({
  async door() {
    const { exports } = ctx as { readonly exports: { readonly ObjectsDoor: unknown } };
    return opened(exports.ObjectsDoor as ObjectsDoorCalls);
  },
});

/** A door whose `fetch` throws what was thrown behind it. */
export const opened = (door: ObjectsDoorCalls): ObjectsDoorCalls => ({
  call: (...args) => door.call(...args),
  get: (...args) => door.get(...args),
  list: (...args) => door.list(...args),
  erase: (...args) => door.erase(...args),
  fetch: async (request) => unsealAnswer(await door.fetch(request)),
});

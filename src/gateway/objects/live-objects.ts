/**
 * The Durable Objects that this process has started, so that those with older code can be let go when a deployment is
 * noticed: timers and open WebSockets would run it on. One for each isolate.
 */
import type { WorkerId } from "../../domain/ids.ts";
import { LIVE_OBJECTS_MAX } from "../../domain/limits-durable.ts";
import type { ObjectAddress } from "./object-address.ts";

export class LiveObjects {
  readonly #byWorker = new Map<
    WorkerId,
    { seq: number; readonly started: Map<string, ObjectAddress> }
  >();
  /** By namespace: how often it had been transferred when it was seen last. */
  readonly #transfers = new Map<string, number>();

  /** An object starts its code, of the deployment `seq`. */
  note(address: ObjectAddress, seq: number): void {
    const { started } = this.#of(address.workerId, seq);
    started.delete(address.objectId);
    if (started.size >= LIVE_OBJECTS_MAX) {
      const [oldest] = started.keys();
      if (oldest !== undefined) started.delete(oldest);
    }
    started.set(address.objectId, address);
  }

  /**
   * Those that may run older code than that of the deployment `seq`, or that of a Worker which has given the namespace
   * away, the first time that it is seen.
   */
  takeOlder(seen: ObjectAddress, seq: number): readonly ObjectAddress[] {
    const given = this.#takeGiven(seen);
    const known = this.#of(seen.workerId, seq);
    if (known.seq >= seq) return given;
    known.seq = seq;
    return [...given, ...known.started.values()];
  }

  #takeGiven({ namespaceId, transfers }: ObjectAddress): readonly ObjectAddress[] {
    if (transfers <= (this.#transfers.get(namespaceId) ?? 0)) return NONE;
    this.#transfers.set(namespaceId, transfers);
    const given: ObjectAddress[] = [];
    for (const { started } of this.#byWorker.values()) {
      for (const [objectId, address] of started) {
        if (address.namespaceId !== namespaceId || address.transfers >= transfers) continue;
        started.delete(objectId);
        given.push(address);
      }
    }
    return given;
  }

  #of(workerId: WorkerId, seq: number) {
    let known = this.#byWorker.get(workerId);
    if (known === undefined) this.#byWorker.set(workerId, (known = { seq, started: new Map() }));
    return known;
  }
}

const NONE: readonly ObjectAddress[] = [];

export const liveObjects = new LiveObjects();

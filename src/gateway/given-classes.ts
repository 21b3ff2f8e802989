import type { GivenNamespaces, OwnedNamespace } from "../domain/given-namespaces.ts";
import { stepOn } from "../domain/given-namespaces.ts";
import type { WorkerId } from "../domain/ids.ts";

/** What Workers have given to others, as far as this process has heard; lease answers say so. */
export class GivenClasses {
  readonly #given = new Map<WorkerId, GivenNamespaces>();

  hear(workerId: WorkerId, given: GivenNamespaces): void {
    if (Object.keys(given).length > 0) this.#given.set(workerId, given);
    else this.#given.delete(workerId);
  }

  forget(workerId: WorkerId): void {
    this.#given.delete(workerId);
  }

  /** Whose it is if it is not that Worker's any more, by the Worker's lease; null: it still is. */
  stepOn<T extends OwnedNamespace>(at: T): T | null {
    const given = this.#given.get(at.workerId);
    return given === undefined ? null : stepOn(at, given);
  }
}

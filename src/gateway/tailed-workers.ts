import type { WorkerId } from "../domain/ids.ts";

/** Which Workers somebody tails, as far as this gateway has heard; lease answers say so. */
export class TailedWorkers {
  readonly #tailed = new Set<WorkerId>();
  readonly #onEnd: (workerId: WorkerId) => void;

  /** `onEnd`: nobody tails that Worker any more. */
  constructor(onEnd: (workerId: WorkerId) => void) {
    this.#onEnd = onEnd;
  }

  has(workerId: WorkerId): boolean {
    return this.#tailed.has(workerId);
  }

  hear(workerId: WorkerId, tailed: boolean): void {
    if (tailed) this.#tailed.add(workerId);
    else if (this.#tailed.delete(workerId)) this.#onEnd(workerId);
  }
}

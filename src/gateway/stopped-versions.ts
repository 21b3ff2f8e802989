import { type Stopped } from "../domain/breaker.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import { STOP_KEEP_MS } from "../domain/limits.ts";

/** The host's word, until a lease answer says the same. */
interface Told {
  readonly stopped: Stopped;
  /** Of the deployment that was known to be current then; null: none was known yet. */
  seq: number | null;
  /** Milliseconds since 1970. */
  readonly until: number;
}

/**
 * The versions that this gateway must not run, as far as it has heard. Lease answers say which; the host's own word
 * comes sooner, and holds against answers that were asked for before it. A later deployment voids both.
 */
export class StoppedVersions {
  readonly #now: () => number;
  readonly #heard = new Map<
    WorkerId,
    { readonly seq: number; readonly stopped: readonly Stopped[] }
  >();
  readonly #told = new Map<WorkerId, readonly Told[]>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** What holds for a version under the deployment `seq`; null for `seq` where there is none, as on preview hosts. */
  find(workerId: WorkerId, versionId: VersionId, seq: number | null): Stopped | null {
    // Almost always: nothing is stopped.
    if (this.#heard.size === 0 && this.#told.size === 0) return null;
    const heard = this.#heard.get(workerId);
    const known = heard?.seq === seq ? heard.stopped : [];
    return (
      known.find((stopped) => stopped.versionId === versionId) ??
      this.#valid(workerId, seq).find(({ stopped }) => stopped.versionId === versionId)?.stopped ??
      null
    );
  }

  /** A lease answer about the deployment `seq`: all that it says is stopped. To be called in the order of the questions. */
  hear(workerId: WorkerId, seq: number, stopped: readonly Stopped[]): void {
    if (stopped.length === 0) this.#heard.delete(workerId);
    else this.#heard.set(workerId, { seq, stopped });
    if (!this.#told.has(workerId)) return;
    const left = this.#valid(workerId, seq).filter(
      (told) => !stopped.some(({ versionId }) => versionId === told.stopped.versionId),
    );
    for (const told of left) told.seq ??= seq;
    this.#keep(workerId, left);
  }

  /** The host says so; `seq` is of the deployment that this gateway knows, null when it knows none. */
  tell(workerId: WorkerId, stopped: Stopped, seq: number | null): void {
    for (const other of this.#told.keys()) this.#keep(other, this.#valid(other, null));
    const others = this.#valid(workerId, null).filter(
      (told) => told.stopped.versionId !== stopped.versionId,
    );
    this.#keep(workerId, [...others, { stopped, seq, until: this.#now() + STOP_KEEP_MS }]);
  }

  /** The Worker's register is not held any more; who asks for it anew hears anew. */
  forget(workerId: WorkerId): void {
    this.#heard.delete(workerId);
  }

  #valid(workerId: WorkerId, seq: number | null): readonly Told[] {
    const told = this.#told.get(workerId);
    if (told === undefined) return [];
    const now = this.#now();
    return told.filter(
      ({ until, seq: since }) => now < until && (since === null || seq === null || since >= seq),
    );
  }

  #keep(workerId: WorkerId, told: readonly Told[]): void {
    if (told.length === 0) this.#told.delete(workerId);
    else this.#told.set(workerId, told);
  }
}

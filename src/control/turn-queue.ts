/**
 * Who may change a register next. Turns are given in order of arrival, except that an urgent change (a
 * rollback) goes first and sends away everyone who waits to move forward: they must not undo it.
 *
 * Nobody is woken by a clock: whoever waited too long is told when the turn would have come.
 */
import type { DomainError } from "../domain/errors.ts";
import { LOCK_QUEUE_MAX, LOCK_WAIT_MS_MAX } from "../domain/limits.ts";
import { err, ok, type Result } from "../domain/result.ts";

interface Waiter {
  readonly urgent: boolean;
  readonly since: number;
  readonly answer: (turn: Result<void, DomainError>) => void;
}

export class TurnQueue {
  #held = false;
  #waiting: Waiter[] = [];

  /** An urgent change waits: nobody else is to begin anything. */
  get hasUrgent(): boolean {
    return this.#waiting.some((waiter) => waiter.urgent);
  }

  get isWaitedFor(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * Wait for a turn. Whoever gets one has to {@link release} it, once. An urgent change sends away, at once, everyone
   * who waits to move forward, and who comes to while it waits itself.
   */
  enter(
    urgent: boolean,
    now: number,
  ): Promise<Result<void, DomainError>> | Result<void, DomainError> {
    if (!this.#held) {
      this.#held = true;
      return ok(undefined);
    }
    if (urgent) this.#supersede();
    else if (this.hasUrgent) return err({ kind: "superseded_by_rollback" });
    // An urgent change meets urgent ones only: it is never turned away because others wait to move forward.
    if (this.#waiting.length >= LOCK_QUEUE_MAX) {
      return err({ kind: "lock_queue_full", waiting: this.#waiting.length });
    }
    return new Promise((answer) => this.#waiting.push({ urgent, since: now, answer }));
  }

  /** Take the turn on behalf of a change that an earlier life of the object left behind. */
  hold(): void {
    this.#held = true;
  }

  release(now: number): void {
    for (;;) {
      const next = this.#waiting.find((waiter) => waiter.urgent) ?? this.#waiting[0];
      if (next === undefined) {
        this.#held = false;
        return;
      }
      this.#waiting = this.#waiting.filter((waiter) => waiter !== next);
      const waitedMs = now - next.since;
      if (waitedMs <= LOCK_WAIT_MS_MAX) {
        next.answer(ok(undefined));
        return;
      }
      next.answer(err({ kind: "lock_wait_expired", waitedMs }));
    }
  }

  /** Nobody can have a turn for now: the change that holds it cannot be ended. */
  refuseAll(error: DomainError): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const waiter of waiting) waiter.answer(err(error));
  }

  #supersede(): void {
    const forward = this.#waiting.filter((waiter) => !waiter.urgent);
    this.#waiting = this.#waiting.filter((waiter) => waiter.urgent);
    for (const waiter of forward) waiter.answer(err({ kind: "superseded_by_rollback" }));
  }
}

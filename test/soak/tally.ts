/** What became of the requests: how long they took, which failed and whether that may be, what was read that must not. */

/** Failures that are told one by one; the rest are counted. */
const TOLD_MAX = 50;

export class Tally {
  /** Of the requests answered since the last {@link takeLatencies}, in milliseconds. */
  #latencies: number[] = [];
  /** An attack is under way: a process may end, and with it what cannot be sent again. */
  #underAttack = false;
  answered = 0;
  failures = 0;
  /** Streams and WebSockets that ended with the process of an attack. */
  lostWithProcess = 0;
  /** WebSockets that were closed in good order because their process was to end. */
  closedForRestart = 0;
  violations = 0;
  readonly told: string[] = [];

  attack(isUnderWay: boolean): void {
    this.#underAttack = isUnderWay;
  }

  answer(ms: number): void {
    this.answered++;
    this.#latencies.push(ms);
  }

  /** `lasting`: a stream or a WebSocket, which nobody can send again. */
  failure(what: string, lasting = false): void {
    if (lasting && this.#underAttack) {
      this.lostWithProcess++;
      return;
    }
    this.failures++;
    this.#tell(what);
  }

  /** Something else was served than what had been acknowledged. */
  violation(what: string): void {
    this.violations++;
    this.#tell(`VIOLATION ${what}`);
  }

  takeLatencies(): readonly number[] {
    const taken = this.#latencies.toSorted((a, b) => a - b);
    this.#latencies = [];
    return taken;
  }

  #tell(what: string): void {
    if (this.told.length < TOLD_MAX) this.told.push(`${new Date().toISOString()} ${what}`);
  }
}

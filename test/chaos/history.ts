/** What was read and written, and what is wrong with it. */
import { Changes, type LedgerRow, type Pending } from "./changes.ts";
import {
  describeViolation,
  findViolations,
  type Read,
  type Violation,
} from "../model/linearizable.ts";
import { ALPHA, BETA, MOVING_HOST, ownerAfter, type ReadAnswer } from "./workers/names.ts";

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** All times in milliseconds. */
export interface Verdict {
  /** Empty: every register was linearizable, and the ledger is whole. */
  readonly violations: readonly string[];
  readonly reads: number;
  /** By how the answer was known to be current. `last-known` is outside of the promise, and not checked. */
  readonly readsBy: Readonly<Record<string, number>>;
  /** By status: 503 when nobody could say what was current. */
  readonly refusedReads: Readonly<Record<string, number>>;
  /** Connections that broke, or stayed silent. */
  readonly lostReads: number;
  readonly readMs: Percentiles;
  readonly acknowledged: number;
  readonly acknowledgedMs: Percentiles;
  /** By reason. */
  readonly refusedChanges: Readonly<Record<string, number>>;
  /** Times that a change was asked for and had no answer. */
  readonly unanswered: number;
}

export interface ObservedRead {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly reader: string;
  readonly host: string;
  readonly said: ReadAnswer;
}

const ROUTING = "routing";

export class History {
  readonly #registers = new Map(
    [ALPHA, BETA, ROUTING].map((name) => [name, { reads: [] as Read[], changes: new Changes() }]),
  );
  readonly #readsBy: Record<string, number> = {};
  readonly #refused: Record<string, number> = {};
  readonly #readMs: number[] = [];
  readonly #wrong: string[] = [];
  #lost = 0;

  read({ startedAt, endedAt, reader, host, said }: ObservedRead): void {
    this.#readsBy[said.via] = (this.#readsBy[said.via] ?? 0) + 1;
    this.#readMs.push(endedAt - startedAt);
    if (said.via === "last-known") return;
    const expected =
      host === MOVING_HOST ? ownerAfter(said.change) : host.startsWith("alpha") ? ALPHA : BETA;
    if (said.owner !== expected) {
      this.#wrong.push(
        `torn table: ${host} belonged to ${said.owner ?? "nobody"} after change ${said.change}`,
      );
    }
    this.#register(ROUTING).reads.push({ startedAt, endedAt, reader, seq: said.change });
    if (said.owner === null) return;
    this.#register(said.owner).reads.push({ startedAt, endedAt, reader, seq: said.seq });
  }

  refusedRead(status: number): void {
    this.#refused[status] = (this.#refused[status] ?? 0) + 1;
  }

  lostRead(): void {
    this.#lost++;
  }

  deploying(worker: string, key: string): Pending {
    return this.#register(worker).changes.begin(key, null);
  }

  /** A move's number is chosen by who asks for it, one after the other. */
  moving(change: number): Pending {
    return this.#register(ROUTING).changes.begin(String(change), change);
  }

  /** The whole ledger of a Worker, after everything has come to an end. */
  ledger(worker: string, rows: readonly LedgerRow[]): void {
    this.#wrong.push(...this.#register(worker).changes.reconcile(rows));
  }

  /** A request was served by something that was known to be over. Says the same as it would at the end. */
  servedOld(): Violation[] {
    const all = [...this.#registers.values()].flatMap((register) => this.#violations(register));
    return all.filter(({ rule }) => rule.startsWith("older"));
  }

  verdict(): Verdict {
    const registers = [...this.#registers];
    const changes = registers.map(([, register]) => register.changes);
    return {
      violations: [
        ...this.#wrong,
        ...registers.flatMap(([name, register]) =>
          this.#violations(register).map((violation) => `${name}: ${describeViolation(violation)}`),
        ),
      ],
      reads: this.#readMs.length,
      readsBy: this.#readsBy,
      refusedReads: this.#refused,
      lostReads: this.#lost,
      readMs: percentiles(this.#readMs),
      acknowledged: changes.reduce((sum, some) => sum + some.acknowledgedMs.length, 0),
      acknowledgedMs: percentiles(changes.flatMap((some) => some.acknowledgedMs)),
      refusedChanges: Object.fromEntries(countEach(changes.flatMap((some) => some.refusals))),
      unanswered: changes.reduce((sum, some) => sum + some.unanswered, 0),
    };
  }

  #violations({ reads, changes }: { reads: Read[]; changes: Changes }): Violation[] {
    return findViolations({ reads, writes: changes.writes(), initialSeq: 0 });
  }

  #register(name: string) {
    const register = this.#registers.get(name);
    if (register === undefined) throw new Error(`chaos: there is no register ${name}`);
    return register;
  }
}

function countEach(all: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const one of all) counts.set(one, (counts.get(one) ?? 0) + 1);
  return counts;
}

function percentiles(all: readonly number[]): Percentiles {
  const sorted = all.toSorted((a, b) => a - b);
  const at = (part: number) =>
    Math.round((sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0) * 10) /
    10;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** The changes of one register as their clients saw them, and as the ledger has them. */
import type { Write } from "../model/linearizable.ts";

export interface LedgerRow {
  readonly seq: number;
  readonly status: string;
  /** The key of the change. */
  readonly message: string;
}

/** A change on its way, for whoever asked for it. */
export interface Pending {
  acknowledged(seq: number): void;
  refused(kind: string): void;
  unanswered(): void;
}

interface Change {
  readonly invokedAt: number;
  ackedAt: number | null;
  /** Null: not known, or it never took effect. */
  seq: number | null;
  refusal: string | null;
  unanswered: number;
}

export class Changes {
  readonly #changes = new Map<string, Change>();

  /** `seq` is null where the lock gives the number. */
  begin(key: string, seq: number | null): Pending {
    const invokedAt = performance.now();
    const change: Change = { invokedAt, ackedAt: null, seq, refusal: null, unanswered: 0 };
    this.#changes.set(key, change);
    return {
      acknowledged: (given) => {
        change.seq = given;
        change.ackedAt = performance.now();
      },
      refused: (kind) => {
        change.refusal = kind;
        // Refused at once, it took no effect; refused when it was asked for again, the ledger has to say.
        if (change.unanswered === 0) change.seq = null;
      },
      unanswered: () => void change.unanswered++,
    };
  }

  /** Those that took effect, or may have. */
  writes(): Write[] {
    return [...this.#changes.values()].flatMap(({ invokedAt, ackedAt, seq }) =>
      seq === null ? [] : [{ invokedAt, ackedAt, seq }],
    );
  }

  get acknowledgedMs(): number[] {
    return this.writes().flatMap(({ invokedAt, ackedAt }) =>
      ackedAt === null ? [] : [ackedAt - invokedAt],
    );
  }

  get refusals(): string[] {
    return [...this.#changes.values()].flatMap(({ refusal }) =>
      refusal === null ? [] : [refusal],
    );
  }

  get unanswered(): number {
    return [...this.#changes.values()].reduce((sum, change) => sum + change.unanswered, 0);
  }

  /**
   * Holds the ledger against what was answered, oldest row first, and learns from it what became of changes
   * without an answer. Gives what is wrong, a sentence each.
   */
  reconcile(rows: readonly LedgerRow[]): string[] {
    const wrong: string[] = [];
    rows.forEach(({ seq }, at) => {
      if (seq !== at + 1) wrong.push(`ledger: place ${at + 1} has number ${seq}`);
    });
    const active = new Map<string, LedgerRow>();
    for (const row of rows) {
      if (row.status === "aborted") continue;
      if (row.status !== "active")
        wrong.push(`ledger: ${row.message} stayed ${row.status} as ${row.seq}`);
      if (active.has(row.message)) wrong.push(`ledger: ${row.message} happened twice`);
      active.set(row.message, row);
      if (!this.#changes.has(row.message)) wrong.push(`ledger: nobody asked for ${row.message}`);
    }
    for (const [key, change] of this.#changes) {
      const seq = active.get(key)?.seq ?? null;
      if (change.ackedAt !== null && change.seq !== seq) {
        wrong.push(
          `ledger: ${key} was acknowledged as ${change.seq}, and is ${seq ?? "not there"}`,
        );
      } else if (change.refusal !== null && change.unanswered === 0 && seq !== null) {
        wrong.push(`ledger: ${key} was refused (${change.refusal}), and happened as ${seq}`);
      } else {
        change.seq = seq;
      }
    }
    return wrong;
  }
}

/** The model of D1: rows of one Worker's history, and the three writes that arrive there late, twice or never. */

export interface LedgerWrite {
  readonly kind: "commit" | "activate" | "abort";
  readonly seq: number;
  readonly intentId: string;
  /** The lock instance that sent it: only that one hears the answer. */
  readonly sender: number;
}

interface Row {
  readonly intentId: string;
  status: "committing" | "active" | "aborted";
}

export class Ledger {
  readonly #rows: (Row | undefined)[] = [];

  /** Answers whether the place in the history is the sender's, as the store does. */
  apply(write: LedgerWrite): boolean {
    const row = this.#rows[write.seq];
    switch (write.kind) {
      case "commit":
        if (row === undefined) {
          this.#rows[write.seq] = { intentId: write.intentId, status: "committing" };
          return true;
        }
        return row.intentId === write.intentId && row.status !== "aborted";
      case "abort":
        if (row === undefined) {
          this.#rows[write.seq] = { intentId: write.intentId, status: "aborted" };
        } else if (row.status === "committing") row.status = "aborted";
        return true;
      case "activate":
        for (let seq = write.seq; seq > 0; seq--) {
          const due = this.#rows[seq];
          if (due?.status === "committing") due.status = "active";
        }
        return true;
    }
  }

  /** The second way to know what is current: the newest row that was not given up, if it is active. Else null. */
  provenCurrent(): number | null {
    for (let seq = this.#rows.length - 1; seq > 0; seq--) {
      const row = this.#rows[seq];
      if (row !== undefined && row.status !== "aborted")
        return row.status === "active" ? seq : null;
    }
    return null;
  }

  statusOf(seq: number): Row["status"] | "missing" {
    return this.#rows[seq]?.status ?? "missing";
  }

  activeSeqs(): number[] {
    return this.#rows.flatMap((row, seq) => (row?.status === "active" ? [seq] : []));
  }
}

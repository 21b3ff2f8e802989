/** What visitors saw of each Worker, and whether one register could have shown it. */
import { Changes, type LedgerRow } from "../changes.ts";
import { describeViolation, findViolations, type Read } from "../../model/linearizable.ts";

/** The current deployment of one Worker, read by visitors and written by deployments. */
export class Register {
  readonly changes = new Changes();
  readonly #name: string;
  readonly #reads: Read[] = [];
  /** By place in history: the version that visitors saw there. */
  readonly #served = new Map<number, string>();
  readonly #wrong = new Set<string>();

  constructor(name: string) {
    this.#name = name;
  }

  get reads(): number {
    return this.#reads.length;
  }

  read(read: Read, versionId: string): void {
    this.#reads.push(read);
    const before = this.#served.get(read.seq);
    if (before !== undefined && before !== versionId) {
      this.#wrong.add(`${this.#name}: ${read.seq} was served by ${before} and by ${versionId}`);
    }
    this.#served.set(read.seq, versionId);
  }

  wrong(sentence: string): void {
    this.#wrong.add(`${this.#name}: ${sentence}`);
  }

  /** The whole history, oldest first, with the version that each deployment is of. */
  ledger(rows: readonly (LedgerRow & { readonly versionId: string })[]): void {
    for (const sentence of this.changes.reconcile(withTombstones(rows))) this.wrong(sentence);
    const deployed = new Map(rows.map(({ seq, versionId }) => [seq, versionId]));
    for (const [seq, versionId] of this.#served) {
      if (deployed.get(seq) !== versionId) {
        this.wrong(
          `${seq} was served by ${versionId}, and is of ${deployed.get(seq) ?? "nothing"}`,
        );
      }
    }
  }

  /** A sentence each. */
  violations(): string[] {
    const found = findViolations({
      reads: this.#reads,
      writes: this.changes.writes(),
      initialSeq: 0,
    });
    return [...this.#wrong, ...found.map((one) => `${this.#name}: ${describeViolation(one)}`)];
  }

  /** Requests that were served by something that was known to be over: true already while it runs. */
  servedOld(): number {
    const found = findViolations({
      reads: this.#reads,
      writes: this.changes.writes(),
      initialSeq: 0,
    });
    return found.filter(({ rule, of }) => rule.startsWith("older") && "reader" in of).length;
  }
}

/** A place that the API does not show was given up. */
function withTombstones(rows: readonly LedgerRow[]): LedgerRow[] {
  const shown = new Map(rows.map((row) => [row.seq, row]));
  return Array.from({ length: rows.at(-1)?.seq ?? 0 }, (_, at) => {
    return shown.get(at + 1) ?? { seq: at + 1, status: "aborted", message: "" };
  });
}

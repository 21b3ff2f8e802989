/**
 * Is a history of real reads and deployments what one register could have shown? Because the values are sequence
 * numbers and writes take effect in their order, no search is needed: four rules, each checked in one sweep over
 * sorted times, are equivalent to linearizability. O(n log n).
 *
 * All times are of one monotonic clock, in any unit. What shares an instant is taken to overlap.
 */

/** A request, and the sequence number of the deployment that served it. Requests that failed are left out. */
export interface Read {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly seq: number;
  readonly reader: string;
}

/** A deployment that took effect, or may have. One that was refused ("nothing changed") is left out. */
export interface Write {
  readonly invokedAt: number;
  /** Null: the answer was lost, and the sequence number is the ledger's. */
  readonly ackedAt: number | null;
  readonly seq: number;
}

export interface History {
  readonly reads: readonly Read[];
  readonly writes: readonly Write[];
  /** What was current, and known to be, before the history began. */
  readonly initialSeq: number;
}

export type Rule =
  /** A sequence number was read that nobody wrote, or written twice. */
  | "unknown"
  | "duplicate"
  /** A request ended before what it was served by was asked for. */
  | "from-the-future"
  /** P1: a request was served by less than what had been acknowledged before it began. */
  | "older-than-acknowledged"
  /** P2: a request was served by less than what another had been served by before it began. */
  | "older-than-seen"
  /** A deployment took a smaller number than one that was acknowledged, or seen, before it was asked for. */
  | "out-of-order";

export interface Violation {
  readonly rule: Rule;
  /** The read or write that is wrong. */
  readonly of: Read | Write;
  /** What it contradicts: null when nothing in particular. */
  readonly against: Read | Write | null;
}

/** Every read and write that no register could have shown, in no particular order. Empty: linearizable. */
export function findViolations(history: History): Violation[] {
  const violations: Violation[] = [];
  const written = new Map<number, Write>();
  for (const write of history.writes) {
    const other = written.get(write.seq);
    if (other !== undefined || write.seq <= history.initialSeq) {
      violations.push({ rule: "duplicate", of: write, against: other ?? null });
    }
    written.set(write.seq, write);
  }
  for (const read of history.reads) {
    const write = written.get(read.seq);
    if (write !== undefined && read.endedAt < write.invokedAt) {
      violations.push({ rule: "from-the-future", of: read, against: write });
    }
    if (write === undefined && read.seq !== history.initialSeq) {
      violations.push({ rule: "unknown", of: read, against: null });
    }
  }
  return [...violations, ...findOlder(history)];
}

/** A sentence for a log: what was served, when, and what it contradicts. */
export function describeViolation({ rule, of, against }: Violation): string {
  const told = (what: Read | Write): string =>
    "reader" in what
      ? `${what.reader} was served by ${what.seq} from ${what.startedAt} to ${what.endedAt}`
      : `deployment ${what.seq} was asked for at ${what.invokedAt} and acknowledged at ${what.ackedAt ?? "no time known"}`;
  return `${rule}: ${told(of)}${against === null ? "" : `, but ${told(against)}`}`;
}

type Known = { readonly at: number; readonly seq: number; readonly by: Read | Write };

/** The rules that compare with the newest known before: one sweep over beginnings and ends. */
function findOlder({ reads, writes, initialSeq }: History): Violation[] {
  const acks = writes.flatMap((by): Known[] =>
    by.ackedAt === null ? [] : [{ at: by.ackedAt, seq: by.seq, by }],
  );
  const ends = reads.map((by): Known => ({ at: by.endedAt, seq: by.seq, by }));
  const begins = [
    ...reads.map((by): Known => ({ at: by.startedAt, seq: by.seq, by })),
    ...writes.map((by): Known => ({ at: by.invokedAt, seq: by.seq, by })),
  ].toSorted(byTime);
  const acked = newestBefore(acks.toSorted(byTime));
  const seen = newestBefore(ends.toSorted(byTime));
  const violations: Violation[] = [];
  for (const { at, seq, by } of begins) {
    const ack = acked(at);
    const sight = seen(at);
    if (seq < (ack?.seq ?? initialSeq)) {
      const rule = "reader" in by ? "older-than-acknowledged" : "out-of-order";
      violations.push({ rule, of: by, against: ack?.by ?? null });
    } else if (sight !== null && seq < sight.seq) {
      const rule = "reader" in by ? "older-than-seen" : "out-of-order";
      violations.push({ rule, of: by, against: sight.by });
    }
  }
  return violations;
}

const byTime = (a: Known, b: Known): number => a.at - b.at;

/** To be asked with times that do not go down: the highest number known strictly before. */
function newestBefore(known: readonly Known[]): (at: number) => Known | null {
  let next = 0;
  let newest: Known | null = null;
  return (at) => {
    for (let one = known[next]; one !== undefined && one.at < at; one = known[++next]) {
      if (newest === null || one.seq > newest.seq) newest = one;
    }
    return newest;
  };
}

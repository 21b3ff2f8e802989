import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  describeViolation,
  findViolations,
  type History,
  type Read,
  type Write,
} from "./linearizable.ts";

const read = (seq: number, startedAt: number, endedAt: number, reader = "r"): Read => ({
  seq,
  startedAt,
  endedAt,
  reader,
});
const write = (seq: number, invokedAt: number, ackedAt: number | null): Write => ({
  seq,
  invokedAt,
  ackedAt,
});
const rules = (writes: Write[], reads: Read[], initialSeq = 0) =>
  findViolations({ reads, writes, initialSeq }).map(({ rule }) => rule);

describe("histories that a register could have shown", () => {
  it("reads around a deployment may see either value", () => {
    expect(
      rules(
        [write(1, 10, 20)],
        [
          read(0, 0, 5),
          read(0, 12, 15),
          read(1, 12, 15),
          read(0, 15, 30),
          read(1, 16, 18),
          read(1, 21, 22),
        ],
      ),
    ).toEqual([]);
  });

  it("a deployment without an answer may take effect, late or never", () => {
    expect(rules([write(1, 10, null)], [read(0, 50, 60), read(1, 61, 70)])).toEqual([]);
    expect(
      rules([write(1, 10, null), write(2, 20, 30)], [read(0, 15, 18), read(2, 40, 41)]),
    ).toEqual([]);
  });

  it("numbers may have gaps, where changes were given up", () => {
    expect(rules([write(1, 10, 20), write(4, 30, 40)], [read(1, 25, 26), read(4, 50, 51)])).toEqual(
      [],
    );
  });

  it("what shares an instant overlaps", () => {
    expect(rules([write(1, 10, 20)], [read(0, 20, 25)])).toEqual([]);
    expect(rules([write(1, 10, 20)], [read(1, 5, 10)])).toEqual([]);
    expect(rules([write(1, 0, null)], [read(1, 1, 5), read(0, 5, 6)])).toEqual([]);
  });
});

describe("planted violations are found", () => {
  it("served by the old one after the acknowledgement", () => {
    expect(rules([write(1, 10, 20)], [read(0, 21, 22)])).toEqual(["older-than-acknowledged"]);
  });

  it("served by the old one after somebody saw the new one, before any acknowledgement", () => {
    expect(rules([write(1, 10, 100)], [read(1, 20, 30, "a"), read(0, 31, 40, "b")])).toEqual([
      "older-than-seen",
    ]);
  });

  it("served before it was asked for", () => {
    expect(rules([write(1, 10, 20)], [read(1, 5, 9)])).toEqual(["from-the-future"]);
  });

  it("served by what nobody deployed", () => {
    expect(rules([write(1, 10, 20)], [read(7, 30, 40)])).toEqual(["unknown"]);
  });

  it("a sequence number used twice", () => {
    expect(rules([write(1, 10, null), write(1, 30, null)], [])).toEqual(["duplicate"]);
    expect(rules([write(3, 10, null)], [], 3)).toEqual(["duplicate"]);
  });

  it("a later deployment with a smaller number", () => {
    expect(rules([write(2, 10, 20), write(1, 30, 40)], [])).toEqual(["out-of-order"]);
    expect(rules([write(2, 10, null), write(1, 30, null)], [read(2, 11, 12)])).toEqual([
      "out-of-order",
    ]);
  });

  it("one stale request among a hundred thousand, told in a sentence", () => {
    const writes = Array.from({ length: 1_000 }, (_, i) => write(i + 1, i * 100, i * 100 + 50));
    const reads = Array.from({ length: 100_000 }, (_, i) =>
      read(Math.floor(i / 100) + 1, i + 0.5, i + 0.75),
    );
    const stale = read(500, 50_051, 50_052, "the stale one");
    const violations = findViolations({
      writes,
      reads: [...reads.filter(({ startedAt }) => startedAt % 100 > 50), stale],
      initialSeq: 0,
    });
    expect(violations.map(describeViolation)).toEqual([
      "older-than-acknowledged: the stale one was served by 500 from 50051 to 50052, but deployment 501 was asked for at 50000 and acknowledged at 50050",
    ]);
  });
});

/** The definition itself, by trying every order. For small histories only. What has no answer may come last. */
function isLinearizable({ reads, writes, initialSeq }: History): boolean {
  const operations = [
    ...reads.map((of) => ({ of, from: of.startedAt, to: of.endedAt })),
    ...writes.map((of) => ({ of, from: of.invokedAt, to: of.ackedAt ?? Infinity })),
  ];
  const search = (left: typeof operations, current: number): boolean =>
    left.length === 0 ||
    left.some(({ of, from }) => {
      if (left.some(({ to }) => to < from)) return false;
      if ("reader" in of ? of.seq !== current : of.seq <= current) return false;
      return search(
        left.filter((other) => other.of !== of),
        of.seq,
      );
    });
  return search(operations, initialSeq);
}

describe("the four rules", () => {
  it("are the definition: an order that explains every answer", () => {
    const time = fc.nat(12);
    const interval = fc
      .tuple(time, time)
      .map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
    const history = fc.record({
      writes: fc.uniqueArray(
        fc
          .tuple(fc.integer({ min: 1, max: 3 }), interval, fc.boolean())
          .map(([seq, [from, to], lost]) => write(seq, from, lost ? null : to)),
        { maxLength: 3, selector: ({ seq }) => seq },
      ),
      reads: fc.array(
        fc.tuple(fc.nat(3), interval).map(([seq, [from, to]]) => read(seq, from, to)),
        { maxLength: 4 },
      ),
      initialSeq: fc.constant(0),
    });
    let good = 0;
    fc.assert(
      fc.property(history, (one) => {
        const linearizable = isLinearizable(one);
        if (linearizable) good += 1;
        expect(findViolations(one).length === 0).toBe(linearizable);
      }),
      { numRuns: 20_000, seed: 7 },
    );
    expect(good).toBeGreaterThan(1_000);
  });
});

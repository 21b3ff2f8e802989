import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  GATEWAY_LOG_BURST_BYTES,
  GATEWAY_LOG_BYTES_PER_SECOND,
  GATEWAY_LOG_LINE_BYTES_MAX,
} from "../../src/domain/limits.ts";
import { OutputLines } from "../../src/host/output-lines.ts";

function reader() {
  const passed: string[] = [];
  const suppressed: number[] = [];
  const clock = { now: 0 };
  const lines = new OutputLines({
    onLine: (line) => passed.push(line),
    onSuppressed: (count) => suppressed.push(count),
    now: () => clock.now,
  });
  return { lines, passed, suppressed, clock };
}

describe("the output of a gateway", () => {
  it("is cut into the lines that it has, wherever its chunks end", () => {
    const anyLines = fc.array(fc.string({ unit: "grapheme" }).map((s) => s.replaceAll("\n", "")));
    fc.assert(
      fc.property(anyLines, fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (texts, sizes) => {
        const { lines, passed } = reader();
        const take = lines.stream();
        let bytes = Buffer.from(texts.map((text) => `${text}\n`).join(""));
        while (bytes.length > 0) {
          const size = sizes.next().value ?? 1;
          take(bytes.subarray(0, size));
          bytes = bytes.subarray(size);
        }
        expect(passed).toEqual(texts);
      }),
    );
  });

  it("passes a burst, then no more than its rate, and says how many lines it left out", () => {
    const { lines, passed, suppressed, clock } = reader();
    const take = lines.stream();
    const flood = Buffer.from(`${"x".repeat(99)}\n`.repeat(100_000));
    take(flood);
    const cost = 199;
    expect(passed.length).toBe(Math.floor(GATEWAY_LOG_BURST_BYTES / cost));
    clock.now = 10_000;
    const before = passed.length;
    take(flood);
    const tenSeconds = (10 * GATEWAY_LOG_BYTES_PER_SECOND) / cost;
    expect(passed.length - before).toBeLessThanOrEqual(tenSeconds + 1);
    expect(passed.length - before).toBeGreaterThan(tenSeconds - 2);
    lines.end();
    expect(suppressed).toEqual([200_000 - passed.length]);
  });

  it("shares one allowance between its streams", () => {
    const { lines, passed } = reader();
    const flood = Buffer.from(`${"x".repeat(99)}\n`.repeat(100_000));
    lines.stream()(flood);
    const before = passed.length;
    lines.stream()(flood);
    expect(passed.length).toBe(before);
  });

  it("is kept in memory up to a limit while a line does not end", () => {
    const { lines, passed } = reader();
    const take = lines.stream();
    for (let i = 0; i < 1_000; i++) take(Buffer.from("y".repeat(1_000)));
    take(Buffer.from("\nnext\n"));
    expect(passed.map((line) => line.length)).toEqual([GATEWAY_LOG_LINE_BYTES_MAX, 4]);
  });
});

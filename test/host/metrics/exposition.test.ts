import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { exposition, histogram } from "../../../src/host/metrics/exposition.ts";

const FAMILIES = {
  up: { type: "gauge", help: "Whether it\nruns." },
  asked_total: { type: "counter", help: "Questions." },
  wait_seconds: { type: "histogram", help: "Waits." },
} as const;

describe("the text format", () => {
  it("has each family once, with its help and type, in their order, and leaves out those without samples", () => {
    const samples = [
      { name: "asked_total", labels: { by: "g1" }, value: 3 },
      { name: "up", labels: {}, value: 1 },
      { name: "asked_total", labels: { by: "g2" }, value: 0.5 },
      { name: "unheard_of", labels: {}, value: 1 },
    ];
    expect(exposition(FAMILIES, samples)).toBe(
      [
        "# HELP up Whether it\\nruns.",
        "# TYPE up gauge",
        "up 1",
        "# HELP asked_total Questions.",
        "# TYPE asked_total counter",
        'asked_total{by="g1"} 3',
        'asked_total{by="g2"} 0.5',
        "",
      ].join("\n"),
    );
  });

  it("has cumulative buckets that end in +Inf, the sum and the count", () => {
    const waits = histogram(
      "wait_seconds",
      { at: "x" },
      { bounds: [0.1, 1], counts: [2, 0, 3], sum: 9 },
    );
    expect(exposition(FAMILIES, waits).split("\n").slice(2)).toEqual([
      'wait_seconds_bucket{at="x",le="0.1"} 2',
      'wait_seconds_bucket{at="x",le="1"} 2',
      'wait_seconds_bucket{at="x",le="+Inf"} 5',
      'wait_seconds_sum{at="x"} 9',
      'wait_seconds_count{at="x"} 5',
      "",
    ]);
  });

  it("is one line a sample, whatever a label's value is, and the value can be read back", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const lines = exposition(FAMILIES, [{ name: "up", labels: { host: text }, value: 1 }]);
        const [, value] = /^up\{host="((?:[^"\\\n]|\\["\\n])*)"\} 1\n$/m.exec(lines) ?? [];
        const plain = value?.replaceAll(/\\(.)/g, (_all, c: string) => (c === "n" ? "\n" : c));
        expect(plain).toBe(text);
      }),
      { examples: [['"'], ["\\"], ["\n"], ['\\n"\n']] },
    );
  });
});

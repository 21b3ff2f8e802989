import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLog, formatEvent } from "../../src/host/log.ts";
import { passRuntimeLog } from "../../src/host/runtime-log.ts";

const NOON = new Date("2026-11-23T12:00:00.000Z");

function passed(message: string, level = "log"): string {
  let written = "";
  const log = createLog(
    (text) => (written += text),
    () => NOON,
  );
  passRuntimeLog({ timestamp: NOON.getTime(), level, message }, log);
  return written;
}

describe("an event", () => {
  it("is time, level, event and key=value, quoted where it has to be", () => {
    const fields = { port: 8787, text: 'a "b"', none: undefined };
    expect(formatEvent(NOON, "info", "runtime back", fields)).toBe(
      '2026-11-23T12:00:00.000Z info runtime back port=8787 text="a \\"b\\""',
    );
  });

  it("is one line for any value", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(formatEvent(NOON, "info", "event", { text })).not.toMatch(/[\r\n]/);
      }),
    );
  });
});

describe("a line of the runtime", () => {
  it("that is a JSON object passes as it is", () => {
    expect(passed('{"event":"deployment"}')).toBe('{"event":"deployment"}\n');
  });

  it("of a Worker's console becomes one event with its level", () => {
    expect(passed("hello\n2026 info stopped", "error")).toBe(
      '2026-11-23T12:00:00.000Z error console text="hello\\n2026 info stopped"\n',
    );
    expect(passed('{"not json')).toContain("info console");
  });

  it("that is the runtime's own trace becomes one short line, and a bare stack none", () => {
    const trace =
      "workerd/io/worker.c++:1: error: e = kj/async.c++:9: failed: gone; stack: a b\nsentryErrorContext = x";
    expect(passed(trace)).toBe(
      '2026-11-23T12:00:00.000Z warn runtime notice text="workerd/io/worker.c++:1: error: e = kj/async.c++:9: failed: gone"\n',
    );
    expect(passed("stack: 5588 7f21 7f00; sentryErrorContext = jsgInternalError")).toBe("");
  });

  it("is one line at most, and bounded, whatever a Worker writes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 9_000, size: "max" }), (text) => {
        const line = passed(text);
        expect(line.indexOf("\n")).toBe(line.length - 1);
        expect(line.length).toBeLessThan(4_000 * 6 + 100);
      }),
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLog, formatEvent, type LogFormat } from "../../src/host/log.ts";
import { passRuntimeLog } from "../../src/host/runtime-log.ts";

const NOON = new Date("2026-11-23T12:00:00.000Z");

function passed(message: string, { level = "log", format = "text" as LogFormat } = {}): string {
  let written = "";
  const log = createLog(
    (text) => (written += text),
    () => NOON,
    { format },
  );
  passRuntimeLog({ timestamp: NOON.getTime(), level, message }, "g1", log);
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

  it("is one JSON object with time, level, event and process where that is asked for", () => {
    const lines: string[] = [];
    const log = createLog(
      (text) => lines.push(text),
      () => NOON,
      { format: "json", writer: "launcher" },
    );
    log.event("warn", "upgrade refused", { reason: "a\nb", none: undefined });
    log.event("info", "gateway said", { process: "g1" });
    const said = { time: "2026-11-23T12:00:00.000Z", level: "warn", event: "upgrade refused" };
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { ...said, process: "launcher", reason: "a\nb" },
      { ...said, level: "info", event: "gateway said", process: "g1" },
    ]);
  });
});

describe("a line of the runtime", () => {
  it("that is an event of the Worker's is one of the log's, with the process that said it", () => {
    const line = '{"level":"warn","event":"version_stopped","worker":"shop","n":2,"list":[1]}';
    expect(passed(line)).toBe(
      "2026-11-23T12:00:00.000Z warn version_stopped worker=shop n=2 list=[1] process=g1\n",
    );
    expect(JSON.parse(passed(line, { format: "json" }))).toEqual({
      time: "2026-11-23T12:00:00.000Z",
      level: "warn",
      event: "version_stopped",
      process: "g1",
      worker: "shop",
      n: 2,
      list: "[1]",
    });
  });

  it("of a Worker's console becomes one event with its level", () => {
    expect(passed("hello\n2026 info stopped", { level: "error" })).toBe(
      '2026-11-23T12:00:00.000Z error console text="hello\\n2026 info stopped" process=g1\n',
    );
    expect(passed('{"not json')).toContain("info console");
    expect(passed('{"message":"no event"}')).toContain("info console");
    expect(passed('{"level":"info","event":"a b","x":1}')).toContain("info console");
    expect(passed('{"level":"info","event":"a","b\\nc":1}')).toContain("info console");
  });

  it("cannot pretend to come from another process, or at another time", () => {
    const line = '{"level":"info","event":"stopped","process":"supervisor","time":"never"}';
    expect(JSON.parse(passed(line, { format: "json" }))).toEqual({
      time: "2026-11-23T12:00:00.000Z",
      level: "info",
      event: "stopped",
      process: "g1",
    });
    expect(passed(line)).toMatch(/^2026-11-23T12:00:00.000Z info stopped .*process=g1/);
    expect(passed(line)).not.toContain("supervisor");
  });

  it("that is the runtime's own trace becomes one short line, and a bare stack none", () => {
    const trace =
      "workerd/io/worker.c++:1: error: e = kj/async.c++:9: failed: gone; stack: a b\nsentryErrorContext = x";
    expect(passed(trace)).toBe(
      '2026-11-23T12:00:00.000Z warn runtime notice text="workerd/io/worker.c++:1: error: e = kj/async.c++:9: failed: gone" process=g1\n',
    );
    expect(passed("stack: 5588 7f21 7f00; sentryErrorContext = jsgInternalError")).toBe("");
  });

  it("is one line at most, and bounded, whatever a Worker writes, in either form", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", maxLength: 9_000, size: "max" }),
        fc.constantFrom<LogFormat>("text", "json"),
        (text, format) => {
          const line = passed(text, { format });
          expect(line.indexOf("\n")).toBe(line.length - 1);
          expect(line.length).toBeLessThan(4_000 * 6 + 200);
          if (format === "json") expect(JSON.parse(line)).toMatchObject({ process: "g1" });
        },
      ),
    );
  });
});

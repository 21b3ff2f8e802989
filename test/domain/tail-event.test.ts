import { describe, expect, it } from "vitest";
import { TAIL_EVENT_CHARS_MAX } from "../../src/domain/limits-tail.ts";
import { fitted } from "../../src/domain/tail-event.ts";
import { tailEvent } from "./tail-samples.ts";

const line = (text: string) => ({ message: [text], level: "log", timestamp: 1 });

describe("an event that is sent", () => {
  it("stays as it is up to the limit, to the character", () => {
    const rest = JSON.stringify(tailEvent({ logs: [line("")] })).length;
    const exact = tailEvent({ logs: [line("x".repeat(TAIL_EVENT_CHARS_MAX - rest))] });
    const kept = fitted(exact);
    expect(kept.event).toBe(exact);
    expect(kept.json.length).toBe(TAIL_EVENT_CHARS_MAX);
    const over = tailEvent({ logs: [line("x".repeat(TAIL_EVENT_CHARS_MAX - rest + 1))] });
    expect(fitted(over).event).toMatchObject({ logs: [], truncated: true });
  });

  it("keeps its first logs and its exceptions, and says that something is missing", () => {
    const logs = Array.from({ length: 100 }, (_, at) => line(`${at} ${"x".repeat(10_000)}`));
    const exceptions = [{ name: "Error", message: "boom", timestamp: 2 }];
    const { event, json } = fitted(tailEvent({ logs, exceptions }));
    expect(json.length).toBeLessThanOrEqual(TAIL_EVENT_CHARS_MAX);
    expect(json).toBe(JSON.stringify(event));
    expect(event.exceptions).toEqual(exceptions);
    expect(event.truncated).toBe(true);
    expect(event.logs.length).toBeGreaterThan(20);
    expect(event.logs).toEqual(logs.slice(0, event.logs.length));
  });

  it("keeps nothing after an exception that is too long itself", () => {
    const exceptions = [
      { name: "Error", message: "x".repeat(TAIL_EVENT_CHARS_MAX), timestamp: 2 },
      { name: "Error", message: "short", timestamp: 3 },
    ];
    const { event, json } = fitted(tailEvent({ exceptions }));
    expect(json.length).toBeLessThanOrEqual(TAIL_EVENT_CHARS_MAX);
    expect(event).toMatchObject({ exceptions: [], truncated: true });
  });
});

import { expect, it, vi } from "vitest";
import { logEvent } from "../../src/observability/log.ts";

it("an event is one line of JSON, with long texts cut", () => {
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  logEvent("error", "worker_threw", { error: `a\nb${"x".repeat(1_000)}`, none: undefined, n: 1 });
  const line = String(log.mock.calls[0]?.[0]);
  log.mockRestore();
  expect(line).not.toContain("\n");
  expect(line.length).toBeLessThan(700);
  expect(JSON.parse(line)).toMatchObject({ level: "error", event: "worker_threw", n: 1 });
  expect(line).not.toContain("none");
});

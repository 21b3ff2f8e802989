import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LogSampler, SAMPLE_MS, SAMPLED_KEYS_MAX } from "../../src/observability/log-sampler.ts";

let now = 0;
let lines: Record<string, unknown>[] = [];
beforeEach(() => {
  now = 0;
  lines = [];
  vi.spyOn(console, "log").mockImplementation((line: string) => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  });
});
afterEach(() => vi.restoreAllMocks());

const sampler = () => new LogSampler(() => now);

describe("a sampled event", () => {
  it("has one line in ten seconds, and the next one counts those that were left out", () => {
    const log = sampler();
    for (now = 0; now < SAMPLE_MS; now += 1_000)
      log.log("error", "worker_threw", "v1", { at: now });
    expect(lines).toEqual([{ level: "error", event: "worker_threw", at: 0 }]);
    log.log("error", "worker_threw", "v1", { at: now });
    expect(lines[1]).toEqual({ level: "error", event: "worker_threw", at: SAMPLE_MS, repeated: 9 });
    now += SAMPLE_MS;
    log.log("error", "worker_threw", "v1");
    expect(lines[2]).toEqual({ level: "error", event: "worker_threw" });
  });

  it("does not hide another event, nor the same one of something else", () => {
    const log = sampler();
    log.log("error", "worker_threw", "v1");
    log.log("error", "worker_threw", "v2");
    log.log("error", "version_failed_to_load", "v1");
    expect(lines).toHaveLength(3);
  });

  it("is remembered for so many keys: beyond that the oldest are said again", () => {
    const log = sampler();
    for (let n = 0; n <= SAMPLED_KEYS_MAX; n++) log.log("error", "worker_threw", `v${n}`);
    log.log("error", "worker_threw", "v1");
    expect(lines).toHaveLength(SAMPLED_KEYS_MAX + 1);
    log.log("error", "worker_threw", "v0");
    expect(lines).toHaveLength(SAMPLED_KEYS_MAX + 2);
  });
});

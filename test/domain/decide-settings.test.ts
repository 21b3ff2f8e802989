import { describe, expect, it } from "vitest";
import { decideSettings, spelledNumber } from "../../src/domain/decide-settings.ts";
import { SETTINGS_BYTES_MAX } from "../../src/domain/limits.ts";

describe("decideSettings", () => {
  it("keeps known settings verbatim and leaves everything else out", () => {
    const settings = {
      limits: { cpu_ms: 100, subrequests: 50 },
      placement: { mode: "smart" },
      tail_consumers: [{ service: "hello" }],
      usage_model: "standard",
      logpush: false,
      observability: { enabled: true, head_sampling_rate: 0.5, logs: { destinations: ["1"] } },
    };
    expect(
      decideSettings({
        ...settings,
        main_module: "w.js",
        bindings: [],
        anything: 1,
        exports: null,
      }),
    ).toEqual({ ok: true, value: settings });
  });

  it("reads numbers and booleans that a form could only send as text", () => {
    expect(
      decideSettings({
        limits: { cpu_ms: "100" },
        logpush: "true",
        observability: {
          enabled: "false",
          head_sampling_rate: "0.5",
          logs: { destinations: ["1"] },
        },
        placement: { hint: "1" },
      }),
    ).toEqual({
      ok: true,
      value: {
        limits: { cpu_ms: 100 },
        logpush: true,
        observability: { enabled: false, head_sampling_rate: 0.5, logs: { destinations: ["1"] } },
        placement: { hint: "1" },
      },
    });
  });

  it.each([
    [{ limits: [] }, "limits must be an object"],
    [{ limits: 5 }, "limits must be an object"],
    [{ logpush: "maybe" }, "logpush must be a boolean"],
    [{ tail_consumers: {} }, "tail_consumers must be a list"],
    [{ usage_model: 1 }, "usage_model must be a string"],
  ])("refuses %j", (metadata, detail) => {
    expect(decideSettings(metadata)).toMatchObject({
      ok: false,
      error: { kind: "upload_invalid", detail: expect.stringContaining(detail) },
    });
  });

  it("bounds them together", () => {
    const overhead = '{"placement":{"x":""}}'.length;
    const placement = (size: number) => ({ placement: { x: "a".repeat(size) } });
    expect(decideSettings(placement(SETTINGS_BYTES_MAX - overhead)).ok).toBe(true);
    expect(decideSettings(placement(SETTINGS_BYTES_MAX - overhead + 1)).ok).toBe(false);
  });
});

describe("spelledNumber", () => {
  it.each([
    ["0", 0],
    ["-1.5", -1.5],
    ["100", 100],
    ["", null],
    [" 1", null],
    ["01", null],
    ["1.0", null],
    ["0x10", null],
    ["Infinity", null],
    ["1e400", null],
  ])("reads %j as %j", (text, number) => {
    expect(spelledNumber(text)).toBe(number);
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Duty } from "../../../src/domain/containment/duty.ts";
import {
  HOG_CPU_MS_MIN,
  HOG_CPU_SHARE_MIN,
  HOG_PROOF_MS,
  HOG_SHARE,
  HOG_WINDOW_MS,
  STALLED_MS,
} from "../../../src/domain/limits.ts";

/** Bursts of CPU with pauses, one after the other for so long; each is a silence. */
function bursts(duty: Duty, ms: number, burstMs: number, pauseMs: number, cpu = 1): number {
  let now = 0;
  while (now < ms) {
    const from = now;
    now += burstMs;
    duty.silent({ from, to: now, blindMs: 0, cpuMs: cpu * burstMs });
    now += pauseMs;
  }
  return now;
}

describe("a process is hogged", () => {
  it("when silences took most of the window", () => {
    const duty = new Duty();
    const now = bursts(duty, HOG_WINDOW_MS, 300, 20);
    expect(duty.hogs(HOG_WINDOW_MS, now)).toBe(true);
    expect(duty.hogs(HOG_PROOF_MS, now)).toBe(true);
  });

  it("as soon as they have taken half of it, not before", () => {
    const duty = new Duty();
    const half = HOG_WINDOW_MS * HOG_SHARE;
    duty.silent({ from: 0, to: half, blindMs: 0, cpuMs: half });
    expect(duty.hogs(HOG_WINDOW_MS, half)).toBe(false);
    duty.silent({ from: half, to: half + STALLED_MS, blindMs: 0, cpuMs: STALLED_MS });
    expect(duty.hogs(HOG_WINDOW_MS, half + STALLED_MS)).toBe(true);
  });

  it("also where its CPU time is not known, or several share the cores", () => {
    const unknown = new Duty();
    unknown.silent({ from: 0, to: HOG_WINDOW_MS, blindMs: 0, cpuMs: null });
    expect(unknown.hogs(HOG_WINDOW_MS, HOG_WINDOW_MS)).toBe(true);
    const shared = new Duty();
    const now = bursts(shared, HOG_WINDOW_MS, 900, 20, 2 * HOG_CPU_SHARE_MIN);
    expect(shared.hogs(HOG_WINDOW_MS, now)).toBe(true);
  });
});

describe("a process is not hogged", () => {
  it("by silences that are short, however many", () => {
    const duty = new Duty();
    const now = bursts(duty, HOG_WINDOW_MS, STALLED_MS - 1, 0);
    expect(duty.hogs(HOG_WINDOW_MS, now)).toBe(false);
  });

  it("by long ones that are few", () => {
    const duty = new Duty();
    const now = bursts(duty, HOG_WINDOW_MS, 400, 600);
    expect(duty.hogs(HOG_WINDOW_MS, now)).toBe(false);
  });

  it("when it got no CPU: others kept it waiting", () => {
    const duty = new Duty();
    const now = bursts(duty, HOG_WINDOW_MS, 2_000, 0, HOG_CPU_SHARE_MIN / 2);
    expect(duty.hogs(HOG_WINDOW_MS, now)).toBe(false);
    expect(duty.silent({ from: now, to: now + 200, blindMs: 0, cpuMs: HOG_CPU_MS_MIN - 1 })).toBe(
      false,
    );
  });

  it("when the watchdog itself was away", () => {
    const duty = new Duty();
    duty.silent({ from: 0, to: 60_000, blindMs: 59_950, cpuMs: 60_000 });
    expect(duty.hogs(HOG_WINDOW_MS, 60_000)).toBe(false);
  });

  it("any more when it has been quiet since", () => {
    const duty = new Duty();
    const now = bursts(duty, 2 * HOG_WINDOW_MS, 300, 20);
    expect(duty.hogs(HOG_PROOF_MS, now + HOG_PROOF_MS)).toBe(false);
    expect(duty.hogs(HOG_WINDOW_MS, now + HOG_WINDOW_MS)).toBe(false);
  });
});

it("is the share of the time, whatever the bursts: those within the last `ms`, in part", () => {
  const burst = fc.record({ ms: fc.integer({ min: STALLED_MS, max: 500 }), pauseMs: fc.nat(600) });
  const some = fc.array(burst, { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(some, fc.integer({ min: 500, max: HOG_WINDOW_MS }), (all, ms) => {
      const duty = new Duty();
      const busy: boolean[] = [];
      for (const each of all) {
        const from = busy.length;
        for (let at = 0; at < each.ms; at++) busy.push(true);
        duty.silent({ from, to: busy.length, blindMs: 0, cpuMs: each.ms });
        for (let at = 0; at < each.pauseMs; at++) busy.push(false);
      }
      const share = busy.slice(-ms).filter(Boolean).length / ms;
      expect(duty.hogs(ms, busy.length)).toBe(share > HOG_SHARE);
    }),
  );
});

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Verdict } from "../../src/domain/containment/watch.ts";
import {
  BLOCK_WALL_MS,
  HOG_WINDOW_MS,
  MEMORY_EVICTION_MS,
  STALLED_MS,
} from "../../src/domain/limits.ts";
import { Watchdog } from "../../src/host/watchdog.ts";
import { FakeGateway } from "./fake-gateways.ts";

const LIMITS = { blockMsMax: 500, evictBytes: 60, replaceBytes: 100, killBytes: 150 };

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

/** One gateway under watch, on a clock of the test's. */
function watched() {
  const gateway = new FakeGateway({ name: "g1", kind: "pool", pid: 17 });
  const verdicts: Verdict[] = [];
  const alive: number[] = [];
  let clock = 1_000;
  const usage = { cpuMs: 0, rssBytes: 10 };
  /** CPU milliseconds that it uses in each millisecond. */
  let burns = 0;
  let known = true;
  const watchdog = new Watchdog({
    limits: LIMITS,
    usage: (pid) => (pid === 17 && known ? { ...usage } : null),
    onVerdict: (_, verdict) => verdicts.push(verdict),
    onAlive: (_, sentAt) => alive.push(sentAt),
    now: () => clock,
  });
  watchdog.add(gateway.real);
  watchdog.start();
  /** Lets time pass in steps of the watchdog's own timer, and answers arrive. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 20) {
      clock += 20;
      usage.cpuMs += 20 * burns;
      await vi.advanceTimersByTimeAsync(20);
    }
  };
  return {
    gateway,
    watchdog,
    verdicts,
    alive,
    usage,
    pass,
    block: () => (gateway.answer = () => new Promise(() => undefined)),
    burn: (share: number) => (burns = share),
    forgetUsage: () => (known = false),
    /** This process itself does not run for so long; the gateway's CPU time goes on. */
    sleep: (ms: number) => {
      clock += ms;
      usage.cpuMs += ms * burns;
    },
    now: () => clock,
  };
}

describe("a gateway that answers", () => {
  it("is probed about ten times a second and never blamed, however much CPU time it uses", async () => {
    const { gateway, pass, verdicts, alive, burn } = watched();
    burn(2);
    await pass(10_000);
    expect(verdicts).toEqual([]);
    expect(alive.length).toBeGreaterThan(60);
    expect(alive.length).toBeLessThan(120);
    expect(gateway.told.every((said) => said === "GET /alive")).toBe(true);
  });

  it("is probed at once if something waits for the proof, and again for a proof that is younger", async () => {
    const { watchdog, gateway, pass, alive, now } = watched();
    await pass(20);
    const before = alive.length;
    watchdog.hurry(gateway.real);
    await vi.advanceTimersByTimeAsync(0);
    expect(alive.length).toBe(before + 1);
    expect(alive.at(-1)).toBe(now());

    let reply: (() => void) | undefined;
    gateway.answer = () => new Promise((done) => (reply = () => done({ status: 204, text: "" })));
    await pass(200);
    const sent = gateway.told.length;
    const asked = now();
    watchdog.hurry(gateway.real);
    expect(gateway.told.length).toBe(sent);
    reply?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(gateway.told.length).toBe(sent + 1);
    reply?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(alive.at(-1)).toBe(asked);
  });
});

describe("a gateway that does not answer", () => {
  it("stalls first, then is killed for the CPU time it has burnt since it was asked", async () => {
    const { pass, verdicts, block, burn } = watched();
    await pass(1_000);
    block();
    burn(1);
    await pass(STALLED_MS + 140);
    expect(verdicts).toEqual(["stalled"]);
    await pass(LIMITS.blockMsMax);
    expect(verdicts).toEqual(["stalled", "kill: blocked"]);
  });

  it("is left alone while visitors get their answers, however many wait before the probe; then the time begins", async () => {
    const { watchdog, pass, verdicts, block, burn } = watched();
    await pass(1_000);
    block();
    burn(1);
    for (let answers = 0; answers < 100; answers++) {
      watchdog.heard("g1");
      await pass(40);
    }
    expect(verdicts).toEqual([]);
    await pass(LIMITS.blockMsMax + 140);
    expect(verdicts).toEqual(["stalled", "kill: blocked"]);
  });

  it("is given more time if it gets no CPU: others may be to blame for that", async () => {
    const { pass, verdicts, block, burn } = watched();
    await pass(1_000);
    block();
    burn(0.1);
    await pass(BLOCK_WALL_MS - 200);
    expect(verdicts).toEqual(["stalled"]);
    await pass(500);
    expect(verdicts).toEqual(["stalled", "kill: blocked"]);
  });

  it("is judged by wall time where CPU time is not known", async () => {
    const { pass, verdicts, block, forgetUsage } = watched();
    forgetUsage();
    await pass(1_000);
    block();
    await pass(1_400);
    expect(verdicts).toEqual(["stalled", "kill: blocked"]);
  });

  it("is not blamed for the time in which the watchdog itself did not run", async () => {
    const { pass, verdicts, block, sleep } = watched();
    await pass(1_000);
    block();
    await pass(120);
    sleep(60_000);
    await pass(40);
    expect(verdicts).not.toContain("kill: blocked");
    await pass(BLOCK_WALL_MS + 200);
    expect(verdicts).toContain("kill: blocked");
  });

  it("is ok again once it answers", async () => {
    const { gateway, pass, verdicts } = watched();
    let reply: (() => void) | undefined;
    gateway.answer = () => new Promise((done) => (reply = () => done({ status: 204, text: "" })));
    await pass(300);
    expect(verdicts).toEqual(["stalled"]);
    gateway.answer = () => ({ status: 204, text: "" });
    reply?.();
    await pass(300);
    expect(verdicts).toEqual(["stalled", "ok"]);
  });

  it("has been silent since its probe was sent", async () => {
    const { gateway, watchdog, pass, block, now } = watched();
    expect(watchdog.silentSince(gateway.real)).toBeNull();
    await pass(1_000);
    block();
    await pass(400);
    const since = watchdog.silentSince(gateway.real) ?? 0;
    expect(now() - since).toBeGreaterThanOrEqual(280);
    expect(now() - since).toBeLessThanOrEqual(400);
  });

  it("is looked at no more once it is removed, also by an answer that comes late", async () => {
    const { gateway, watchdog, pass, verdicts, alive } = watched();
    let reply: (() => void) | undefined;
    gateway.answer = () => new Promise((done) => (reply = () => done({ status: 204, text: "" })));
    await pass(60);
    watchdog.remove(gateway.real);
    reply?.();
    await pass(BLOCK_WALL_MS * 2);
    expect(verdicts).toEqual([]);
    expect(alive).toEqual([]);
    expect(gateway.told).toEqual(["GET /alive"]);
  });
});

describe("a gateway that answers only in short pauses", () => {
  /** Bursts of so many milliseconds; only after each does it answer. */
  const bursts = async (share: number, heard = false) => {
    const seen = watched();
    const { gateway, watchdog, pass, burn } = seen;
    burn(share);
    let replies: (() => void)[] = [];
    gateway.answer = () =>
      new Promise((done) => replies.push(() => done({ status: 204, text: "" })));
    for (let n = 0; n < 40; n++) {
      await pass(heard ? 60 : 300);
      if (heard) watchdog.heard("g1");
      if (heard && n % 5 < 4) continue;
      for (const reply of replies) reply();
      replies = [];
      await pass(20);
    }
    return seen;
  };

  it("is hogged, though each time it was not silent for long enough to be killed", async () => {
    const { verdicts, watchdog, gateway } = await bursts(1);
    expect(verdicts).toContain("hogged");
    expect(verdicts).not.toContain("kill: blocked");
    expect(watchdog.hogs(gateway.real, HOG_WINDOW_MS)).toBe(true);
  });

  it("is not, if it gets no CPU, or answers visitors all the while", async () => {
    expect((await bursts(0.02)).verdicts).not.toContain("hogged");
    expect((await bursts(1, true)).verdicts).not.toContain("hogged");
  });
});

describe("a gateway's memory", () => {
  it("leads to eviction, replacement and the kill, each at its limit", async () => {
    const { pass, verdicts, usage } = watched();
    for (const rssBytes of [59, 60, 100, 149]) {
      usage.rssBytes = rssBytes;
      await pass(240);
    }
    expect([...new Set(verdicts)]).toEqual(["evict", "replace"]);
    usage.rssBytes = 150;
    await pass(240);
    expect(verdicts.at(-1)).toBe("kill: memory");
  });

  it("is looked at also while it does not answer", async () => {
    const { pass, verdicts, usage, block } = watched();
    await pass(200);
    block();
    usage.rssBytes = 150;
    await pass(240);
    expect(verdicts).toContain("kill: memory");
    expect(verdicts).not.toContain("kill: blocked");
  });

  it("is not asked to shrink again and again, but replaced as long as it is too large", async () => {
    const { pass, verdicts, usage } = watched();
    usage.rssBytes = 60;
    await pass(MEMORY_EVICTION_MS * 2 + 400);
    expect(verdicts.every((verdict) => verdict === "evict")).toBe(true);
    expect(verdicts.length).toBeGreaterThanOrEqual(2);
    expect(verdicts.length).toBeLessThanOrEqual(4);
  });
});

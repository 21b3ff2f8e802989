import { describe, expect, it } from "vitest";
import type { Stopped } from "../../src/domain/breaker.ts";
import type { VersionId, WorkerId } from "../../src/domain/ids.ts";
import { STOP_KEEP_MS } from "../../src/domain/limits.ts";
import { StoppedVersions } from "../../src/gateway/stopped-versions.ts";

const [WORKER, OTHER] = ["w" as WorkerId, "o" as WorkerId];
const [A, B] = ["a" as VersionId, "b" as VersionId];
const stoppedOf = (versionId: VersionId): Stopped => ({
  versionId,
  reason: "blocked",
  stoppedOn: 1,
  strikes: 2,
});

function setUp() {
  const clock = { now: 1_000 };
  const stopped = new StoppedVersions(() => clock.now);
  const isStopped = (versionId = A, seq: number | null = 5, worker = WORKER) =>
    stopped.find(worker, versionId, seq) !== null;
  return { clock, stopped, isStopped };
}

describe("what a lease answer says is stopped", () => {
  it("is that version under that deployment, and nothing else", () => {
    const { stopped, isStopped } = setUp();
    expect(isStopped()).toBe(false);
    stopped.hear(WORKER, 5, [stoppedOf(A)]);
    expect(stopped.find(WORKER, A, 5)).toEqual(stoppedOf(A));
    expect(isStopped(B)).toBe(false);
    expect(isStopped(A, 6)).toBe(false);
    expect(isStopped(A, 5, OTHER)).toBe(false);
  });

  it("lasts until the next answer says otherwise", () => {
    const { clock, stopped, isStopped } = setUp();
    stopped.hear(WORKER, 5, [stoppedOf(A), stoppedOf(B)]);
    clock.now += 10 * STOP_KEEP_MS;
    expect(isStopped()).toBe(true);
    stopped.hear(WORKER, 5, [stoppedOf(B)]);
    expect([isStopped(A), isStopped(B)]).toEqual([false, true]);
    stopped.hear(WORKER, 5, []);
    expect(isStopped(B)).toBe(false);
  });

  it("is forgotten with its Worker", () => {
    const { stopped, isStopped } = setUp();
    stopped.hear(WORKER, 5, [stoppedOf(A)]);
    stopped.forget(WORKER);
    expect(isStopped()).toBe(false);
  });
});

describe("the host's word", () => {
  it.each([5, null])("holds at once, on preview hosts too (known deployment: %s)", (known) => {
    const { stopped, isStopped } = setUp();
    stopped.tell(WORKER, stoppedOf(A), known);
    expect([isStopped(), isStopped(A, null)]).toEqual([true, true]);
    expect([isStopped(B), isStopped(A, 5, OTHER)]).toEqual([false, false]);
  });

  it("is not lost by an answer that was asked for before it", () => {
    const { stopped, isStopped } = setUp();
    stopped.tell(WORKER, stoppedOf(A), 5);
    stopped.hear(WORKER, 5, []);
    expect(isStopped()).toBe(true);
    stopped.tell(OTHER, stoppedOf(A), null);
    stopped.hear(OTHER, 5, []);
    expect(isStopped(A, 5, OTHER)).toBe(true);
  });

  it("ends by itself when no answer confirms it", () => {
    const { clock, stopped, isStopped } = setUp();
    stopped.tell(WORKER, stoppedOf(A), 5);
    clock.now += STOP_KEEP_MS - 1;
    expect(isStopped()).toBe(true);
    clock.now += 1;
    expect(isStopped()).toBe(false);
  });

  it("once confirmed gives way to the answers: a reset is obeyed", () => {
    const { stopped, isStopped } = setUp();
    stopped.tell(WORKER, stoppedOf(A), 5);
    stopped.hear(WORKER, 5, [stoppedOf(A)]);
    expect(isStopped()).toBe(true);
    stopped.hear(WORKER, 5, []);
    expect(isStopped()).toBe(false);
  });

  it.each([5, null])("is void under a later deployment (known: %s)", (known) => {
    const { stopped, isStopped } = setUp();
    stopped.tell(WORKER, stoppedOf(A), known);
    stopped.hear(WORKER, 5, []);
    stopped.hear(WORKER, 6, []);
    expect([isStopped(A, 6), isStopped(A, null)]).toEqual([false, false]);
  });

  it("of one version leaves that of another as it is", () => {
    const { stopped, isStopped } = setUp();
    stopped.tell(WORKER, stoppedOf(A), 5);
    stopped.tell(WORKER, stoppedOf(B), 5);
    stopped.hear(WORKER, 5, [stoppedOf(A)]);
    expect([isStopped(A), isStopped(B)]).toEqual([true, true]);
    stopped.hear(WORKER, 5, []);
    expect([isStopped(A), isStopped(B)]).toEqual([false, true]);
  });
});

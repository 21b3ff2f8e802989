import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { attempt } from "../../src/data/attempt.ts";
import { STORE_TRIES_MAX } from "../../src/domain/limits-data.ts";

// Nobody has to wait for the pauses between tries.
beforeEach(() => void vi.spyOn(scheduler, "wait").mockResolvedValue());
afterEach(() => void vi.restoreAllMocks());

const lost = () => new Error("Network connection lost.");

/** Fails so often with what `failure` makes, then answers. */
function store(failures: number, failure: () => unknown = lost) {
  const calls = { count: 0 };
  const call = async () => {
    calls.count++;
    if (calls.count <= failures) throw failure();
    return "answer";
  };
  return { call, calls };
}

describe("a call to a store", () => {
  it("is tried until its process is back, if it may be done twice", async () => {
    const { call } = store(3);
    expect(await attempt({ idempotent: true }, call)).toEqual({ kind: "done", value: "answer" });
  });

  it("is not tried for ever", async () => {
    const { call, calls } = store(Infinity);
    expect(await attempt({ idempotent: true }, call)).toMatchObject({ kind: "unreachable" });
    expect(calls.count).toBe(STORE_TRIES_MAX);
  });

  it("is made once if nobody may do it twice, and once if it may be what the process was lost for", async () => {
    for (const how of [{ idempotent: false }, { idempotent: true, retryMsMax: -1 }]) {
      const { call, calls } = store(1);
      expect(await attempt(how, call)).toMatchObject({ kind: "unknown" });
      expect(calls.count).toBe(1);
    }
  });

  it("is made for the first time when its process is back, if nobody may do it twice", async () => {
    const doing = { idempotent: false, door: { name: "new", ping: store(3).call as never } };
    expect(await attempt(doing, store(0).call)).toEqual({ kind: "done", value: "answer" });
    const gone = { name: "gone", ping: store(Infinity).call as never };
    const { call, calls } = store(0);
    expect(await attempt({ idempotent: false, door: gone }, call)).toMatchObject({
      kind: "unreachable",
    });
    expect(calls.count).toBe(0);
  });

  it("is not preceded by another while its process answers, and is again once that was lost", async () => {
    const pings = store(0);
    const how = { idempotent: false, door: { name: "busy", ping: pings.call as never } };
    for (let each = 0; each < 3; each++) await attempt(how, store(0).call);
    expect(pings.calls.count).toBe(1);
    expect(await attempt(how, store(1).call)).toMatchObject({ kind: "unknown" });
    await attempt(how, store(0).call);
    expect(pings.calls.count).toBe(2);
  });

  it("passes on what the store has thrown, and what is wrong with an argument, at once", async () => {
    for (const error of [
      Object.assign(new Error("no such table"), { remote: true }),
      new TypeError("not a key"),
      new DOMException("cannot be cloned", "DataCloneError"),
    ]) {
      const { call, calls } = store(1, () => error);
      await expect(attempt({ idempotent: true }, call)).rejects.toBe(error);
      expect(calls.count).toBe(1);
    }
  });
});

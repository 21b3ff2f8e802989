import { afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { guardLocks } from "../../src/api/guarded-locks.ts";
import type { ControlContext } from "../../src/control/context.ts";
import type { DomainError } from "../../src/domain/errors.ts";
import type { WorkerId } from "../../src/domain/ids.ts";
import { LEDGER_WRITE_MS_MAX, LOCK_WAIT_MS_MAX } from "../../src/domain/limits.ts";
import { err } from "../../src/domain/result.ts";
import { author, command, deployRequest, workerLock } from "../support/fixtures.ts";
import { apiClient, deployedWorker, split, type Client } from "./api-fixture.ts";

/** A context whose locks answer changes as told; reads go to the real ones. */
const changing = (answer: () => Promise<unknown>) =>
  ({
    workerLock: (id: WorkerId) => ({
      current: () => workerLock(id).current(),
      settledCurrent: () => workerLock(id).settledCurrent(),
      deploy: answer,
    }),
    routingLock: () => ({ change: answer }),
  }) as unknown as ControlContext;

describe("guardLocks", () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  const someRequest = deployRequest(command([["v", 100]]));

  it("turns a change that is never answered into outcome_unknown, at the deadline and not before", async () => {
    vi.useFakeTimers();
    const guarded = guardLocks(changing(() => new Promise(() => undefined)));
    let result: unknown = null;
    const asked = guarded
      .workerLock("w" as WorkerId)
      .deploy(someRequest)
      .then((answer) => (result = answer));
    const deadlineMs = LOCK_WAIT_MS_MAX + LEDGER_WRITE_MS_MAX;
    await vi.advanceTimersByTimeAsync(deadlineMs - 1);
    expect(result).toBeNull();
    await vi.advanceTimersByTimeAsync(1);
    await asked;
    expect(result).toEqual(err({ kind: "outcome_unknown", waitedMs: deadlineMs }));
  });

  it("turns a lock that goes away into outcome_unknown", async () => {
    const guarded = guardLocks(
      changing(() => Promise.reject(new Error("Network connection lost."))),
    );
    const removed = { kind: "remove_domain", domainId: "d" } as const;
    const changed: unknown = await guarded.routingLock().change(removed, author);
    expect(changed).toEqual(err({ kind: "outcome_unknown", waitedMs: null }));
  });

  it("leaves what a lock does answer as it is", async () => {
    const full = err({ kind: "lock_queue_full", waiting: 8 });
    const guarded = guardLocks(changing(() => Promise.resolve(full)));
    expect(await guarded.workerLock("w" as WorkerId).deploy(someRequest)).toEqual(full);
  });
});

describe("a lock that cannot make the change", () => {
  let path: string;
  let versionId: string;
  let before: Client;
  beforeAll(async () => {
    before = await apiClient();
    ({ path, versionId } = await deployedWorker(before, "g-lock"));
  });
  const deployWith = async (error: DomainError) => {
    const client = await apiClient(changing(() => Promise.resolve(err(error))));
    return client.call("POST", `${path}/deployments`, split([versionId, 100]));
  };

  it.each([
    [{ kind: "lock_queue_full", waiting: 8 }, 429, 130030],
    [{ kind: "lock_wait_expired", waitedMs: 15_001 }, 503, 130031],
    [{ kind: "ledger_unavailable" }, 503, 130032],
  ] as const)("$kind: says when to come back", async (error, status, code) => {
    const refused = await deployWith(error);
    expect(refused).toMatchObject({ status, errors: [{ code }] });
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.headers.get("x-should-retry")).toBe("true");
  });

  it("of whose outcome nobody knows: says how to find out, and that repeating is not the way", async () => {
    const refused = await deployWith({ kind: "outcome_unknown", waitedMs: 25_000 });
    expect(refused).toMatchObject({ status: 503, errors: [{ code: 130034 }] });
    expect(refused.errors[0]?.message).toContain("wrangler deployments status");
    expect(refused.headers.get("retry-after")).toBeNull();
    expect(refused.headers.get("x-should-retry")).toBe("false");
  });
});

import { describe, expect, it } from "vitest";
import { TailDispatches } from "../../src/gateway/tail-dispatches.ts";
import { dispatchedMethod, toTailEvent } from "../../src/gateway/tail-item.ts";
import { TAIL_DISPATCHES_KEPT_MAX } from "../../src/domain/limits-tail.ts";

const version = { workerId: "w", versionId: "v", workerName: "shop" };
const request = { url: "https://shop.example/", method: "GET", headers: { a: "b" }, cf: {} };

/** What the runtime hands a tail, as far as it is looked at. */
const item = (fields: object = {}) =>
  ({
    event: { request, response: { status: 204 } },
    eventTimestamp: 1_000,
    logs: [],
    exceptions: [],
    diagnosticsChannelEvents: [],
    scriptName: null,
    outcome: "ok",
    executionModel: "stateless",
    truncated: false,
    cpuTime: 0,
    wallTime: 0,
    ...fields,
  }) as unknown as TraceItem;
const of = (fields: object, dispatch: Parameters<typeof toTailEvent>[3] = null) =>
  toTailEvent(item(fields), version, 1_250, dispatch);

describe("what the runtime tells", () => {
  it("is told as trace-v1, with the version it is of and how long it took", () => {
    const logs = [{ message: ["a", { b: 1 }], level: "warn", timestamp: 1_001, errorInfo: [null] }];
    const exceptions = [{ name: "TypeError", message: "boom", timestamp: 1_002, stack: "  at x" }];
    expect(of({ logs, exceptions, outcome: "exception" })).toEqual({
      outcome: "exception",
      scriptName: "shop",
      scriptVersion: { id: "v" },
      entrypoint: null,
      executionModel: "stateless",
      truncated: false,
      wallTime: 250,
      cpuTime: 0,
      eventTimestamp: 1_000,
      event: { request, response: { status: 204 } },
      logs: [{ message: ["a", { b: 1 }], level: "warn", timestamp: 1_001 }],
      exceptions,
      diagnosticsChannelEvents: [],
      scriptTags: [],
    });
  });

  it("keeps the runtime's own measure where there is one", () => {
    expect(of({ wallTime: 12, cpuTime: 3 })).toMatchObject({ wallTime: 12, cpuTime: 3 });
  });

  it("names the entrypoint and the method of an RPC call, and the object of a Durable Object's", () => {
    const call = { event: { rpcMethod: "add" }, entrypoint: "Basket", durableObjectId: "abc" };
    expect(of({ ...call, executionModel: "durableObject" })).toMatchObject({
      entrypoint: "Basket",
      event: { rpcMethod: "add" },
      durableObjectId: "abc",
      executionModel: "durableObject",
    });
  });

  it("tells of a Durable Object's alarm as one", () => {
    const fields = { event: { rpcMethod: "__switchbackAlarm" }, entrypoint: "Room" };
    expect(of(fields)?.event).toEqual({ scheduledTime: "1970-01-01T00:00:01.000Z" });
  });

  it("leaves out what the gateway itself has called", () => {
    for (const rpcMethod of ["describe", "evict"]) {
      expect(of({ event: { rpcMethod }, entrypoint: "__switchback" })).toBeNull();
    }
    expect(of({ event: { rpcMethod: "describe" }, entrypoint: "Own" })).not.toBeNull();
  });

  it("is a scheduled event, with the outcome of its handler, where the gateway has brought one", () => {
    const fields = { event: { rpcMethod: "scheduled" }, entrypoint: "__switchback" };
    const cron = { cron: "* * * * *", scheduledTime: 1_000 };
    expect(dispatchedMethod(item(fields))).toBe("scheduled");
    expect(of(fields, { event: cron, outcome: "exception" })).toMatchObject({
      event: cron,
      entrypoint: null,
      outcome: "exception",
    });
    expect(of(fields, { event: cron, outcome: null })?.outcome).toBe("ok");
    const exceptions = [{ name: "Error", message: "boom", timestamp: 1 }];
    expect(of({ ...fields, exceptions }, { event: cron, outcome: null })?.outcome).toBe(
      "exception",
    );
  });
});

describe("what a dispatcher notes", () => {
  const batch = (batchSize: number) => ({ queue: "q", batchSize });

  it("is found by version and kind, by its time, and once", () => {
    const dispatches = new TailDispatches();
    dispatches.note("v", "queue", batch(1), 100);
    dispatches.note("v", "queue", batch(2), 200);
    dispatches.note("other", "queue", batch(3), 200);
    expect(dispatches.take("v", "scheduled", 250)).toBeNull();
    expect(dispatches.take("v", "queue", 150)?.event).toEqual(batch(1));
    expect(dispatches.take("v", "queue", 250)?.event).toEqual(batch(2));
    expect(dispatches.take("v", "queue", 250)).toBeNull();
  });

  it("tells later how it ended", () => {
    const dispatches = new TailDispatches();
    dispatches.note("v", "queue", batch(1), 100).outcome = "exception";
    expect(dispatches.take("v", "queue", null)?.outcome).toBe("exception");
  });

  it(`is kept ${TAIL_DISPATCHES_KEPT_MAX} times, the oldest goes first`, () => {
    const dispatches = new TailDispatches();
    for (let n = 0; n <= TAIL_DISPATCHES_KEPT_MAX; n++) {
      dispatches.note(`v${n}`, "queue", batch(n), n);
    }
    expect(dispatches.take("v0", "queue", null)).toBeNull();
    expect(dispatches.take("v1", "queue", null)).not.toBeNull();
  });
});

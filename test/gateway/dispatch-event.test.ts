/** Events on real versions in real isolates; what a handler has seen it tells by what it throws. */
import { describe, expect, it } from "vitest";
import type { Batch } from "../../src/data/queues/queue-object.ts";
import type { Stopped } from "../../src/domain/breaker.ts";
import type { WorkerEvent } from "../../src/domain/event.ts";
import type { VersionId, WorkerId } from "../../src/domain/ids.ts";
import type { Verdict } from "../../src/domain/queue.ts";
import { fakeSwitchback } from "./fake-control-plane.ts";

const SCHEDULED: WorkerEvent = { type: "scheduled", cron: "*/5 * * * *", scheduledTime: 300_000 };
const QUEUE: WorkerEvent = { type: "queue", queueId: "q", batchId: "b" };
const TELL = "throw new Error(JSON.stringify(seen))";

const BATCH: Batch = {
  queue: "orders",
  messages: [
    { id: "m1", timestamp: 1_000, contentType: "json", body: '{"a":[1]}', attempts: 1 },
    { id: "m2", timestamp: 2_000, contentType: "text", body: "two", attempts: 2 },
    {
      id: "m3",
      timestamp: 3_000,
      contentType: "bytes",
      body: new Uint8Array([0, 255]),
      attempts: 1,
    },
    {
      id: "m4",
      timestamp: 4_000,
      contentType: "v8",
      body: new Map([["k", new Date(5)]]),
      attempts: 1,
    },
  ],
  metrics: { backlogCount: 9, backlogBytes: 90, oldestMessageTimestamp: 500 },
};

/** A deployed version, and what becomes of an event on it. */
function deployed(source: string, fields = {}, batch: Batch | null = BATCH) {
  const switchback = fakeSwitchback();
  const workerId = switchback.worker("web");
  const versionId = switchback.version(workerId, source, fields);
  switchback.deploy(workerId, [versionId, 100]);
  const verdicts: Verdict[] = [];
  const taken: string[] = [];
  const queues = {
    takeBatch: (queueId: string, batchId: string) => {
      taken.push(`${queueId} ${batchId}`);
      return Promise.resolve(batch);
    },
    settleBatch: (_: string, __: string, verdict: Verdict) => {
      verdicts.push(verdict);
      return Promise.resolve(true);
    },
  };
  const dispatch = (event: WorkerEvent, of = workerId) =>
    switchback.gateway.dispatch(switchback.scope, { queues }, { id: "e", workerId: of, event });
  return { ...switchback, workerId, versionId, verdicts, taken, dispatch };
}
const seenBy = (detail: string | undefined): unknown =>
  JSON.parse(detail?.slice("Error: ".length) ?? "null");

describe("a scheduled event", () => {
  const seen = `const seen = [controller.scheduledTime, controller.cron, controller.noRetry(), env.TEXT, typeof ctx?.waitUntil];`;
  const TEXT = { bindings: [{ type: "plain_text", name: "TEXT", text: "bound" }] };
  const expected = [300_000, "*/5 * * * *", null, "bound", "function"];

  it("reaches the handler of an object, with its environment and its context", async () => {
    const { dispatch, versionId } = deployed(
      `export default { async scheduled(controller, env, ctx) { ${seen} ${TELL}; } };`,
      TEXT,
    );
    const { outcome, detail, versionId: ran } = await dispatch(SCHEDULED);
    expect([outcome, seenBy(detail), ran]).toEqual(["exception", expected, versionId]);
  });

  it("reaches the method of a class, inherited or not", async () => {
    const { dispatch } = deployed(
      `import { WorkerEntrypoint } from "cloudflare:workers";
       class Base extends WorkerEntrypoint {
         scheduled(controller) { const { env, ctx } = this; ${seen} ${TELL}; }
       }
       export default class extends Base {}`,
      TEXT,
    );
    expect(seenBy((await dispatch(SCHEDULED)).detail)).toEqual(expected);
  });

  it("reaches the listeners of a service worker", async () => {
    const source = `
      addEventListener("fetch", (event) => event.respondWith(new Response()));
      addEventListener("scheduled", (event) => {
        const seen = [event.type, event.scheduledTime, event.cron, event instanceof Event, TEXT];
        event.waitUntil((async () => { ${TELL}; })());
      });`;
    const { dispatch } = deployed(source, { ...TEXT, syntax: "service-worker" });
    const { outcome, detail } = await dispatch(SCHEDULED);
    expect([outcome, seenBy(detail)]).toEqual([
      "exception",
      ["scheduled", 300_000, "*/5 * * * *", true, "bound"],
    ]);
  });

  it("is over when the work that its handler left behind is, and as well as that went", async () => {
    const later = (end: string) =>
      `export default { scheduled(_, env, ctx) {
         ctx.waitUntil(scheduler.wait(20).then(() => ctx.waitUntil(scheduler.wait(20).then(() => { ${end} }))));
       } };`;
    expect(await deployed(later("")).dispatch(SCHEDULED)).toMatchObject({ outcome: "ok" });
    expect(
      await deployed(later(`throw new RangeError("late");`)).dispatch(SCHEDULED),
    ).toMatchObject({
      outcome: "exception",
      detail: "RangeError: late",
    });
  });

  it("says so where there is no handler, and where there is nothing to run", async () => {
    const plain = deployed(`export default { fetch() {} };`);
    expect(await plain.dispatch(SCHEDULED)).toMatchObject({ outcome: "no_handler" });
    expect(await plain.dispatch(SCHEDULED, "nobody" as WorkerId)).toEqual({ outcome: "no_worker" });
    const undeployed = plain.worker("undeployed");
    expect(await plain.dispatch(SCHEDULED, undeployed)).toEqual({ outcome: "no_deployment" });
    const broken = deployed(`throw new Error("boom"); export default {};`);
    expect(await broken.dispatch(SCHEDULED)).toMatchObject({
      outcome: "load_failed",
      detail: expect.stringContaining("boom"),
    });
  });

  it("does not run a version that is stopped, nor one of which nobody knows whether it is current", async () => {
    const { dispatch, setStopped, cut, workerId, versionId } = deployed(
      `export default { scheduled() {} };`,
    );
    const stopped: Stopped = { versionId, reason: "blocked", stoppedOn: 1, strikes: 2 };
    setStopped(workerId, stopped);
    expect(await dispatch(SCHEDULED)).toMatchObject({ outcome: "stopped", versionId });
    setStopped(workerId);
    const { restore } = cut("lock", "ledger");
    const fresh = fakeSwitchback();
    const other = fresh.worker("web");
    fresh.cut("lock", "ledger");
    const queues = { takeBatch: () => Promise.reject(), settleBatch: () => Promise.reject() };
    expect(
      await fresh.gateway.dispatch(
        fresh.scope,
        { queues },
        { id: "e", workerId: other, event: SCHEDULED },
      ),
    ).toMatchObject({ outcome: "unavailable" });
    restore();
    expect(await dispatch(SCHEDULED)).toMatchObject({ outcome: "ok" });
  });

  it("runs on the deployment that is current when it comes", async () => {
    const { dispatch, version, deploy, workerId } = deployed(`export default { scheduled() {} };`);
    const next: VersionId = version(workerId, `export default { scheduled() { throw "next"; } };`);
    await dispatch(SCHEDULED);
    deploy(workerId, [next, 100]);
    expect(await dispatch(SCHEDULED)).toEqual({
      outcome: "exception",
      detail: "next",
      versionId: next,
    });
  });
});

describe("a batch of a queue", () => {
  const queue = (body: string) => `export default { async queue(batch, env, ctx) { ${body} } };`;
  const verdictOf = async (body: string) => {
    const { dispatch, verdicts } = deployed(queue(body));
    await dispatch(QUEUE);
    return verdicts;
  };
  const nothing: Verdict = { ok: true, ackAll: false, retryAll: null, acks: [], retries: [] };

  it("reaches the handler with its messages as they were sent", async () => {
    const { dispatch } = deployed(
      queue(`
        const seen = batch.messages.map(({ id, timestamp, body, attempts }) => [
          id, timestamp instanceof Date && timestamp.getTime(), attempts,
          body instanceof ArrayBuffer ? [...new Uint8Array(body)] : body instanceof Map ? [...body] : body,
        ]);
        seen.push(batch.queue, batch.metadata.metrics);
        ${TELL};`),
    );
    expect(seenBy((await dispatch(QUEUE)).detail)).toEqual([
      ["m1", 1_000, 1, { a: [1] }],
      ["m2", 2_000, 2, "two"],
      ["m3", 3_000, 1, [0, 255]],
      ["m4", 4_000, 1, [["k", new Date(5).toISOString()]]],
      "orders",
      { backlogCount: 9, backlogBytes: 90, oldestMessageTimestamp: new Date(500).toISOString() },
    ]);
  });

  it("its verdict is what was said of each message and of all, the first word counting", async () => {
    expect(await verdictOf("")).toEqual([nothing]);
    expect(
      await verdictOf(
        `const [a, b, c] = batch.messages;
         a.ack(); a.retry(); b.retry({ delaySeconds: 7 }); b.ack(); c.retry(); batch.retryAll({ delaySeconds: 3 }); batch.ackAll();`,
      ),
    ).toEqual([
      {
        ok: true,
        ackAll: false,
        retryAll: { delaySeconds: 3 },
        acks: ["m1"],
        retries: [{ id: "m2", delaySeconds: 7 }, { id: "m3" }],
      },
    ]);
    expect(await verdictOf("batch.ackAll(); batch.retryAll(); batch.messages[0].retry();")).toEqual(
      [{ ...nothing, ackAll: true }],
    );
  });

  it("what was acknowledged before the handler failed stays so", async () => {
    const failed = { ...nothing, ok: false };
    expect(await verdictOf(`batch.messages[1].ack(); throw new Error("no");`)).toEqual([
      { ...failed, acks: ["m2"] },
    ]);
    expect(await verdictOf(`ctx.waitUntil(Promise.reject(new Error("late")));`)).toEqual([failed]);
  });

  it("does not wait for what its handler left behind if the version's flag says so", async () => {
    const fields = { compatibilityFlags: ["queue_consumer_no_wait_for_wait_until"] };
    const source = queue(`ctx.waitUntil(Promise.reject(new Error("late")));`);
    const { dispatch, verdicts } = deployed(source, fields);
    await dispatch(QUEUE);
    expect(verdicts).toEqual([nothing]);
  });

  it("is not taken when the version does not start; and runs nothing when it is somebody else's", async () => {
    const broken = deployed(`throw new Error("boom"); export default {};`);
    expect(await broken.dispatch(QUEUE)).toMatchObject({ outcome: "load_failed" });
    expect(broken.taken).toEqual([]);
    const gone = deployed(queue(TELL), {}, null);
    expect(await gone.dispatch(QUEUE)).toMatchObject({ outcome: "batch_gone" });
    expect(gone.verdicts).toEqual([]);
  });

  it("without a handler it has failed", async () => {
    const { dispatch, verdicts } = deployed(`export default { fetch() {} };`);
    expect(await dispatch(QUEUE)).toMatchObject({ outcome: "no_handler" });
    expect(verdicts).toEqual([{ ...nothing, ok: false }]);
  });

  it("a version that tampers with what speaks for it can spoil its own batch alone", async () => {
    const { dispatch, verdicts } = deployed(
      `Array.prototype.map = () => "no list"; Map.prototype.get = () => { throw 1; };
       JSON.parse = () => { throw new Error("tampered"); };
       export default { queue(batch) { batch.messages = 5; } };`,
    );
    const { outcome } = await dispatch(QUEUE);
    expect(["ok", "exception"]).toContain(outcome);
    expect(verdicts).toHaveLength(1);
  });
});

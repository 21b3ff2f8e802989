import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideDelivery, FAILED, pauseMs, settle, type Verdict } from "../../src/domain/queue.ts";
import {
  CONSUMER_BATCH_BYTES_MAX,
  CONSUMER_PAUSE_MS_MAX,
  CONSUMER_PAUSE_MS_MIN,
  QUEUE_DELAY_SECONDS_MAX,
} from "../../src/domain/limits-queue.ts";

const NOW = 1_000_000;
const consumer = { batchSize: 3, maxWaitMs: 5_000, maxConcurrency: 2 };
const message = (id: string, visibleAt: number, bytes = 10) => ({ id, visibleAt, bytes });

describe("when a batch is delivered", () => {
  it("at once when it is full", () => {
    const waiting = ["a", "b", "c", "d"].map((id) => message(id, NOW));
    expect(decideDelivery(waiting, consumer, 0, NOW)).toEqual({
      kind: "deliver",
      ids: ["a", "b", "c"],
    });
  });

  it("when its first message has waited long enough, and not a millisecond before", () => {
    const waiting = [message("a", NOW), message("b", NOW + 100)];
    const due = NOW + consumer.maxWaitMs;
    expect(decideDelivery(waiting, consumer, 0, due - 1)).toEqual({ kind: "wait", until: due });
    expect(decideDelivery(waiting, consumer, 0, due)).toEqual({ kind: "deliver", ids: ["a", "b"] });
  });

  it("never before its messages may be seen", () => {
    const waiting = [message("a", NOW + 1), message("b", NOW + 2), message("c", NOW + 3)];
    expect(decideDelivery(waiting, consumer, 0, NOW)).toEqual({ kind: "wait", until: NOW + 1 });
  });

  it("not while as many are under way as the consumer takes", () => {
    const waiting = ["a", "b", "c"].map((id) => message(id, NOW));
    expect(decideDelivery(waiting, consumer, 1, NOW).kind).toBe("deliver");
    expect(decideDelivery(waiting, consumer, 2, NOW)).toEqual({ kind: "idle" });
  });

  it("with as many bytes as one batch may have, or with the one message that is larger", () => {
    const half = CONSUMER_BATCH_BYTES_MAX / 2;
    const fits = [message("a", NOW, half), message("b", NOW, half), message("c", NOW, 1)];
    expect(decideDelivery(fits, consumer, 0, NOW)).toEqual({ kind: "deliver", ids: ["a", "b"] });
    const large = [message("a", NOW, CONSUMER_BATCH_BYTES_MAX + 1), message("b", NOW, 1)];
    expect(decideDelivery(large, consumer, 0, NOW)).toEqual({ kind: "deliver", ids: ["a"] });
  });
});

const terms = { maxRetries: 2, retryDelaySeconds: 7 };
const said = (verdict: Partial<Verdict>): Verdict => ({ ...FAILED, ...verdict });
const one = (verdict: Verdict, attempts = 1) =>
  settle([{ id: "m", attempts }], verdict, terms, NOW)[0];

describe("what the end of a batch means for a message", () => {
  it("a handler that went well is an acknowledgement, one that failed is none", () => {
    expect(one(said({ ok: true }))?.act).toBe("remove");
    expect(one(said({ ok: false }))).toEqual({ id: "m", act: "retry", visibleAt: NOW + 7_000 });
  });

  it("its own acknowledgement counts though the handler failed or the whole batch is to be retried", () => {
    const acks = ["m"];
    expect(one(said({ acks }))?.act).toBe("remove");
    expect(one(said({ acks, retryAll: {} }))?.act).toBe("remove");
  });

  it("its own retry counts though the handler went well or acknowledged the rest", () => {
    const retries = [{ id: "m", delaySeconds: 3 }];
    const again = { id: "m", act: "retry", visibleAt: NOW + 3_000 };
    expect(one(said({ ok: true, retries }))).toEqual(again);
    expect(one(said({ ok: true, retries, ackAll: true }))).toEqual(again);
  });

  it("the delay is the message's, else the batch's, else the consumer's; never more than allowed", () => {
    const all = { retryAll: { delaySeconds: 5 } };
    expect(one(said({ ...all, retries: [{ id: "m", delaySeconds: 1 }] }))).toMatchObject({
      visibleAt: NOW + 1_000,
    });
    expect(one(said(all))).toMatchObject({ visibleAt: NOW + 5_000 });
    for (const [delaySeconds, kept] of [
      [QUEUE_DELAY_SECONDS_MAX + 1, QUEUE_DELAY_SECONDS_MAX],
      [-1, 0],
      [Number.NaN, 0],
    ] as const) {
      expect(one(said({ retryAll: { delaySeconds } }))).toMatchObject({
        visibleAt: NOW + kept * 1_000,
      });
    }
  });

  it("after its last retry it is buried", () => {
    expect(one(FAILED, terms.maxRetries)?.act).toBe("retry");
    expect(one(FAILED, terms.maxRetries + 1)?.act).toBe("bury");
  });

  it("every message of the batch, and no other, is settled exactly once, whatever a consumer says", () => {
    const ids = fc.constantFrom("a", "b", "c", "other");
    const delay = fc.option(fc.double(), { nil: undefined });
    const verdicts = fc.record({
      ok: fc.boolean(),
      ackAll: fc.boolean(),
      retryAll: fc.option(fc.record({ delaySeconds: delay })),
      acks: fc.array(ids),
      retries: fc.array(fc.record({ id: ids, delaySeconds: delay })),
    });
    fc.assert(
      fc.property(
        verdicts,
        fc.uniqueArray(fc.constantFrom("a", "b", "c")),
        fc.integer({ min: 1, max: 5 }),
        (verdict, delivered, attempts) => {
          const batch = delivered.map((id) => ({ id, attempts }));
          const settled = settle(batch, verdict, terms, NOW);
          expect(settled.map(({ id }) => id)).toEqual(delivered);
          for (const settlement of settled) {
            const { id, act } = settlement;
            if (verdict.acks.some((acked) => acked === id)) expect(act).toBe("remove");
            if (act === "bury") expect(attempts).toBeGreaterThan(terms.maxRetries);
            if (act !== "retry") continue;
            expect(attempts).toBeLessThanOrEqual(terms.maxRetries);
            expect(settlement.visibleAt).toBeGreaterThanOrEqual(NOW);
            expect(settlement.visibleAt).toBeLessThanOrEqual(NOW + QUEUE_DELAY_SECONDS_MAX * 1_000);
          }
        },
      ),
    );
  });
});

it("what cannot begin is tried again, ever more rarely, but not more rarely than a minute", () => {
  expect([0, 1, 2, 3].map(pauseMs)).toEqual([1, 1, 2, 4].map((n) => n * CONSUMER_PAUSE_MS_MIN));
  expect(pauseMs(1_000)).toBe(CONSUMER_PAUSE_MS_MAX);
});

import { describe, expect, it } from "vitest";
import type { WorkerId } from "../../src/domain/ids.ts";
import {
  TAIL_BATCH_CHARS_MAX,
  TAIL_BATCH_EVENTS_MAX,
  TAIL_EVENT_CHARS_MAX,
  TAIL_SENDING_MS_MAX,
  TAIL_WAITING_CHARS_MAX,
  TAIL_WAITING_EVENTS_MAX,
} from "../../src/domain/limits-tail.ts";
import type { TailBatch } from "../../src/domain/tail-event.ts";
import { TailSender } from "../../src/gateway/tail-sender.ts";
import { tailEvent } from "../domain/tail-samples.ts";

const ONE = "1".repeat(32) as WorkerId;
const TWO = "2".repeat(32) as WorkerId;

function setUp() {
  const clock = { now: 1_000 };
  const sent: (TailBatch & { readonly workerId: WorkerId })[] = [];
  const control = { fails: 0, hold: null as Promise<void> | null };
  const sender = new TailSender(
    {
      async tailEvents(workerId, batch) {
        await control.hold;
        if (control.fails-- > 0) throw new Error("away");
        sent.push({ workerId, ...batch });
      },
    },
    () => clock.now,
  );
  const add = (workerId: WorkerId, count = 1) => {
    for (let n = 0; n < count; n++) sender.add(workerId, tailEvent({ wallTime: n }));
  };
  return { clock, sent, control, sender, add };
}

describe("tailed events", () => {
  it("are sent in order, in batches, each Worker's by itself", async () => {
    const { sent, sender, add } = setUp();
    add(ONE, TAIL_BATCH_EVENTS_MAX + 1);
    add(TWO);
    await sender.send();
    expect(sent.map(({ workerId, events }) => [workerId, events.length])).toEqual([
      [ONE, TAIL_BATCH_EVENTS_MAX],
      [TWO, 1],
      [ONE, 1],
    ]);
    expect(sent[2]?.events[0]?.wallTime).toBe(TAIL_BATCH_EVENTS_MAX);
    expect(sent.every(({ dropped, scriptName }) => dropped === 0 && scriptName === "shop")).toBe(
      true,
    );
  });

  it("that come while others are sent go with the same sender, one batch at a time", async () => {
    const { sent, control, sender, add } = setUp();
    const { promise, resolve } = Promise.withResolvers<void>();
    control.hold = promise;
    add(ONE);
    const first = sender.send();
    add(ONE, 2);
    await sender.send();
    expect(sent).toEqual([]);
    resolve();
    await first;
    expect(sent.map(({ events }) => events.length)).toEqual([1, 2]);
  });

  it("are dropped beyond what may wait, and counted for whoever they were for", async () => {
    const { sent, sender, add } = setUp();
    add(ONE, TAIL_WAITING_EVENTS_MAX);
    add(TWO, 3);
    await sender.send();
    const ofOne = sent.filter(({ workerId }) => workerId === ONE);
    expect(ofOne.reduce((sum, { events }) => sum + events.length, 0)).toBe(TAIL_WAITING_EVENTS_MAX);
    expect(ofOne.every(({ dropped }) => dropped === 0)).toBe(true);
    expect(sent.find(({ workerId }) => workerId === TWO)).toMatchObject({ events: [], dropped: 3 });
    add(TWO);
    await sender.send();
    expect(sent.at(-1)).toMatchObject({
      workerId: TWO,
      dropped: 0,
      events: [tailEvent({ wallTime: 0 })],
    });
  });

  it("count by their size too: large ones wait, and go, in fewer at a time", async () => {
    const { sent, sender } = setUp();
    const message = ["x".repeat(TAIL_EVENT_CHARS_MAX - 1_000)];
    const large = tailEvent({ logs: [{ message, level: "log", timestamp: 1 }] });
    const fit = Math.floor(TAIL_WAITING_CHARS_MAX / JSON.stringify(large).length);
    for (let n = 0; n < fit + 2; n++) sender.add(ONE, large);
    await sender.send();
    const atOnce = Math.floor(TAIL_BATCH_CHARS_MAX / JSON.stringify(large).length);
    expect(Math.max(...sent.map(({ events }) => events.length))).toBe(atOnce);
    expect(sent.reduce((sum, { events }) => sum + events.length, 0)).toBe(fit);
    expect(sent[0]?.dropped).toBe(2);
  });

  it("that could not be sent are missing in the next batch", async () => {
    const { sent, control, sender, add } = setUp();
    control.fails = 1;
    add(ONE, TAIL_BATCH_EVENTS_MAX + 2);
    await sender.send();
    expect(sent).toMatchObject([{ dropped: TAIL_BATCH_EVENTS_MAX, events: { length: 2 } }]);
  });

  it("do not wait for ever for a sender that died with its invocation", async () => {
    const { clock, sent, control, sender, add } = setUp();
    control.hold = new Promise(() => {});
    add(ONE);
    void sender.send();
    control.hold = null;
    add(ONE);
    await sender.send();
    expect(sent).toEqual([]);
    clock.now += 2 * TAIL_SENDING_MS_MAX;
    await sender.send();
    expect(sent).toHaveLength(1);
  });
});

import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Trip } from "../../src/domain/containment/strikes.ts";
import { STOP_KEEP_MS, STOP_REPEAT_MS } from "../../src/domain/limits.ts";
import { createLog } from "../../src/host/log.ts";
import { stopVersion } from "../../src/host/stop-version.ts";
import { FakeGateway } from "./fake-gateways.ts";

const pauses = vi.hoisted(() => [] as number[]);
vi.mock(import("node:timers/promises"), async (original) => ({
  ...(await original()),
  setTimeout: (async (ms: number) => void pauses.push(ms)) as never,
}));
beforeEach(() => void pauses.splice(0));

const TRIP = { workerId: "w1", versionId: "v1", reason: "blocked", strikes: 2 } as Trip;

/** `statuses`: what the control process answers, one after the other; undefined: nothing. */
async function stopped(statuses: (number | undefined)[], endsAfter = Infinity) {
  const gateways = [
    new FakeGateway({ name: "g1", kind: "pool" }),
    new FakeGateway({ name: "g2", kind: "quarantine" }),
  ];
  const asked: unknown[] = [];
  const lines: string[] = [];
  await stopVersion(TRIP, {
    control: {
      ask: async (socket, { method, path, body }) => {
        asked.push([socket, method, path, body]);
        const status = statuses.shift();
        return status === undefined ? undefined : { status, text: "" };
      },
    },
    gateways: () => gateways.map(({ real }) => real),
    isOver: () => asked.length >= endsAfter,
    log: createLog(
      (line) => lines.push(line),
      () => new Date(0),
    ),
  });
  return { gateways, asked, log: lines.join("") };
}

describe("a version that is to be stopped", () => {
  it("is told to every gateway at once and written down by the control process", async () => {
    const { gateways, asked, log } = await stopped([200]);
    for (const { told, bodies } of gateways) {
      expect(told).toEqual(["POST /stop"]);
      expect(bodies).toMatchObject([
        { workerId: "w1", stopped: { versionId: "v1", reason: "blocked", strikes: 2 } },
      ]);
    }
    expect(asked).toEqual([["internal", "POST", "/trip", { ...TRIP }]]);
    expect(log).toContain("version stopped worker_id=w1 version=v1 reason=blocked strikes=2");
  });

  it("is told again and again until the control process has it, more often than gateways forget", async () => {
    const { gateways, asked } = await stopped([undefined, 500, undefined, 200]);
    expect(asked).toHaveLength(4);
    expect(gateways[0]?.told).toHaveLength(4);
    expect(pauses).toEqual([STOP_REPEAT_MS, STOP_REPEAT_MS, STOP_REPEAT_MS]);
    expect(STOP_REPEAT_MS * 2).toBeLessThan(STOP_KEEP_MS);
  });

  it("keeps its first time of stopping", async () => {
    const { gateways } = await stopped([undefined, undefined, 200]);
    const times = gateways[0]?.bodies.map(
      (body) => (body as { stopped: { stoppedOn: number } }).stopped.stoppedOn,
    );
    expect(new Set(times).size).toBe(1);
  });

  it("is forgotten if there is no such version any more", async () => {
    const { asked, log } = await stopped([404, 200]);
    expect(asked).toHaveLength(1);
    expect(log).toContain("version to be stopped is gone version=v1");
  });

  it("is nobody's business any more once the host has ended", async () => {
    const { asked } = await stopped([undefined, undefined, undefined, undefined], 2);
    expect(asked).toHaveLength(2);
  });
});

import { describe, expect, it } from "vitest";
import type { WorkerId } from "../../../src/domain/ids.ts";
import { LIVE_OBJECTS_MAX } from "../../../src/domain/limits-durable.ts";
import { LiveObjects } from "../../../src/gateway/objects/live-objects.ts";

const worker = "w" as WorkerId;
const other = "other" as WorkerId;
const object = (objectId: string, owner = worker, transfers = 0, namespaceId = "n") => ({
  workerId: owner,
  namespaceId,
  home: worker,
  transfers,
  objectId,
  name: null,
});

describe("objects that were started", () => {
  it("are told once for each later deployment, and not for their own", () => {
    const live = new LiveObjects();
    live.note(object("a"), 5);
    expect(live.takeOlder(object("b"), 5)).toEqual([]);
    expect(live.takeOlder(object("b"), 6)).toEqual([object("a")]);
    expect(live.takeOlder(object("b"), 6)).toEqual([]);
    expect(live.takeOlder(object("b", other), 6)).toEqual([]);
  });

  it(`are remembered up to ${LIVE_OBJECTS_MAX} of a Worker, the last started ones`, () => {
    const live = new LiveObjects();
    for (let at = 0; at <= LIVE_OBJECTS_MAX; at++) live.note(object(String(at)), 1);
    const told = live.takeOlder(object("b"), 2);
    expect(told).toHaveLength(LIVE_OBJECTS_MAX);
    expect(told[0]).toEqual(object("1"));
  });

  it("are told when their namespace turns out to be another Worker's, whatever its deployment", () => {
    const live = new LiveObjects();
    live.note(object("a"), 5);
    live.note(object("kept", worker, 0, "m"), 5);
    expect(live.takeOlder(object("b", other, 1), 2)).toEqual([object("a")]);
    live.note(object("a", other, 1), 2);
    expect(live.takeOlder(object("b", other, 1), 2)).toEqual([]);
    expect(live.takeOlder(object("b", worker, 2), 6)).toContainEqual(object("a", other, 1));
  });
});

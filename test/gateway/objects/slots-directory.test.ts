import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { WorkerId } from "../../../src/domain/ids.ts";
import { OBJECT_SLOT_TRUSTED_MS } from "../../../src/domain/limits-data.ts";
import type { ObjectsDirectory } from "../../../src/gateway/objects/objects-directory.ts";
import { slottedObjects } from "../../../src/gateway/objects/slots-directory.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"] }));
afterEach(() => void vi.useRealTimers());

let workers = 0;

/** A supervisor that gives the Worker another slot whenever its process was ended, and lists from those that run. */
function made() {
  const workerId = (workers += 1).toString(16).padStart(32, "0") as WorkerId;
  let slot = 0;
  let asked = 0;
  const directory = {
    fetch: async () => {
      asked += 1;
      return new Response(String(slot));
    },
  } as unknown as Fetcher;
  const door = (at: number) => ({
    list: async () => {
      if (at !== slot) throw new Error("Network connection lost.");
      return { objectIds: [], more: false };
    },
  });
  const env = { WORKER_ID: "another", OBJECTS_0: door(0), OBJECTS_1: door(1) };
  const objects = slottedObjects(directory, env, {} as ObjectsDirectory);
  return {
    list: async () => (await objects.door(workerId)).list(workerId, "namespace", "", 1),
    endProcess: () => (slot = 1),
    asked: () => asked,
  };
}

it("a place that answers is not asked for again", async () => {
  const { list, asked } = made();
  for (let call = 0; call < 5; call++) {
    await list();
    vi.setSystemTime(Date.now() + OBJECT_SLOT_TRUSTED_MS - 1);
  }
  expect(asked()).toBe(1);
});

it("a process that was ended because nobody called is not what the next call is sent to", async () => {
  const { list, endProcess, asked } = made();
  await list();
  endProcess();
  vi.setSystemTime(Date.now() + OBJECT_SLOT_TRUSTED_MS);
  await expect(list()).resolves.toEqual({ objectIds: [], more: false });
  expect(asked()).toBe(2);
});

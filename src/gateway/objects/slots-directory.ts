/**
 * On one machine each Worker's Durable Objects have a process of their own, at one of a fixed number of sockets. Which
 * one is the supervisor's to say; it may start the process first. What is remembered here may be out of date, so every
 * process refuses what is not its Worker's, and then the supervisor is asked again.
 */
import type { WorkerId } from "../../domain/ids.ts";
import { OBJECT_SLOT_TRUSTED_MS, OBJECT_SLOTS_REMEMBERED_MAX } from "../../domain/limits-data.ts";
import { isLost } from "../../data/attempt.ts";
import {
  isWrongProcess,
  opened,
  type ObjectsDirectory,
  type ObjectsDoorCalls,
} from "./objects-directory.ts";

interface KnownSlot {
  readonly slot: number;
  /** When it was told, or its process last answered, in milliseconds since 1970. */
  at: number;
}

/** By Worker; one for each isolate. */
const slots = new Map<WorkerId, KnownSlot>();

/** `env`: with the doors `OBJECTS_0`, `OBJECTS_1`, …, and `WORKER_ID` where this process is one of them. */
export const slottedObjects = (
  directory: Fetcher,
  env: { readonly WORKER_ID?: string },
  own: ObjectsDirectory,
): ObjectsDirectory => ({
  async door(home) {
    if (env.WORKER_ID === home) return own.door(home);
    await slotOf(directory, home);
    const attempt = async <T>(call: (door: ObjectsDoorCalls) => Promise<T>): Promise<T> => {
      try {
        const known = await slotOf(directory, home);
        const answer = await call(doorAt(env, known.slot));
        known.at = Date.now();
        return answer;
      } catch (error) {
        if (isWrongProcess(error) || isLost(error)) slots.delete(home);
        throw error;
      }
    };
    const again = async <T>(call: (door: ObjectsDoorCalls) => Promise<T>): Promise<T> => {
      try {
        return await attempt(call);
      } catch (error) {
        // Nothing of it has been done.
        if (isWrongProcess(error)) return attempt(call);
        throw error;
      }
    };
    return {
      call: (...args) => again((door) => door.call(...args)),
      get: (...args) => again((door) => door.get(...args)),
      list: (...args) => again((door) => door.list(...args)),
      erase: (...args) => again((door) => door.erase(...args)),
      fetch: (request) => (request.body === null ? again : attempt)((door) => door.fetch(request)),
    };
  },
});

const doorAt = (doors: object, slot: number): ObjectsDoorCalls =>
  opened((doors as Readonly<Record<string, ObjectsDoorCalls>>)[`OBJECTS_${slot}`]!);

async function slotOf(directory: Fetcher, workerId: WorkerId): Promise<KnownSlot> {
  const known = slots.get(workerId);
  if (known !== undefined && Date.now() - known.at < OBJECT_SLOT_TRUSTED_MS) return known;
  const answer = await directory.fetch(`http://objects/${workerId}`);
  const text = await answer.text();
  if (answer.status !== 200) {
    throw Object.assign(
      new Error(
        "The process of these Durable Objects cannot be started just now. Try again; the host's log says why.",
      ),
      { retryable: true, overloaded: true },
    );
  }
  if (slots.size >= OBJECT_SLOTS_REMEMBERED_MAX) slots.clear();
  const told = { slot: Number(text), at: Date.now() };
  slots.set(workerId, told);
  return told;
}

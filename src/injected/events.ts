/**
 * Runs a version's handlers for events that no visitor sends. The gateway calls it through the control entrypoint, with
 * plain data, and gets plain data back.
 */
import { MessageBatchState, messageBatch, queueEvent, type PlainBatch } from "./events-queue.ts";
import { scheduledController, scheduledEvent, type PlainSchedule } from "./events-scheduled.ts";

/** What the main module knows of the version's code. */
export interface EventTarget {
  /** The default export of a module; undefined where the version is a service worker. */
  readonly main?: unknown;
  /** Listeners of a service worker, by the event's type. */
  readonly listeners?: Readonly<Record<string, readonly unknown[] | undefined>>;
  readonly ctx: ExecutionContext;
  readonly env: unknown;
}

export interface Ran {
  readonly outcome: "ok" | "exception" | "no_handler";
  /** What was thrown. */
  readonly detail?: string;
}

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Entrypoint = new (ctx: ExecutionContext, env: unknown) => Record<string, unknown>;

/** Set by a version that wants its batches acknowledged before the work that they left behind is done. */
const { Cloudflare: platform } = globalThis as unknown as {
  readonly Cloudflare?: { readonly compatibilityFlags?: Readonly<Record<string, boolean>> };
};
const ACKS_EARLY = platform?.compatibilityFlags?.["queue_consumer_no_wait_for_wait_until"] === true;
const { defineProperty } = Object;
const settleAll = Promise.allSettled.bind(Promise) as typeof Promise.allSettled;

export async function runScheduled(target: EventTarget, schedule: PlainSchedule): Promise<Ran> {
  return run(target, "scheduled", {
    waits: true,
    argument: () => scheduledController(schedule),
    event: (waitUntil) => scheduledEvent(schedule, waitUntil),
  });
}

export async function runQueue(target: EventTarget, batch: PlainBatch) {
  const state = new MessageBatchState();
  const ran = await run(target, "queue", {
    waits: target.listeners !== undefined || !ACKS_EARLY,
    argument: () => messageBatch(batch, state),
    event: (waitUntil) => queueEvent(batch, state, waitUntil),
  });
  return { ...ran, verdict: state.verdict(ran.outcome === "ok") };
}

interface Occasion {
  /** Whether it is over only when what it left behind is. */
  readonly waits: boolean;
  /** What a module's handler gets. */
  readonly argument: () => unknown;
  /** What a service worker's listeners get. */
  readonly event: (waitUntil: (work: unknown) => void) => unknown;
}

/** The event is over when its handler and everything that it left to `waitUntil` are. */
async function run(target: EventTarget, name: string, occasion: Occasion): Promise<Ran> {
  const { ctx } = target;
  const left: Promise<unknown>[] = [];
  const native = ctx.waitUntil.bind(ctx);
  const waitUntil = (work: unknown): void => {
    const promise = Promise.resolve(work);
    left.push(promise);
    native(promise);
  };
  defineProperty(ctx, "waitUntil", { value: waitUntil, configurable: true, writable: true });
  const handlers = handlersOf(target, name);
  if (handlers.length === 0) return { outcome: "no_handler" };
  try {
    const argument =
      target.listeners === undefined ? occasion.argument() : occasion.event(waitUntil);
    for (const handler of handlers) await handler(argument);
  } catch (error) {
    // The runtime is told as well: it logs what was thrown, and tells those that tail.
    native(Promise.reject(error));
    return { outcome: "exception", detail: textOf(error) };
  }
  if (!occasion.waits) return { outcome: "ok" };
  // Work may leave more work behind.
  for (let done = 0; done < left.length;) {
    const next = left.slice(done);
    done = left.length;
    for (const end of await settleAll(next)) {
      if (end.status === "rejected") return { outcome: "exception", detail: textOf(end.reason) };
    }
  }
  return { outcome: "ok" };
}

function handlersOf(
  { main, listeners, ctx, env }: EventTarget,
  name: string,
): readonly ((argument: unknown) => unknown)[] {
  if (listeners !== undefined) {
    return (listeners[name] ?? []).map((listener) =>
      typeof listener === "function"
        ? (event) => (listener as Method).call(globalThis, event)
        : (event) => (listener as { handleEvent: Method }).handleEvent(event),
    );
  }
  if (typeof main === "function") {
    if (typeof (main.prototype as Record<string, unknown> | undefined)?.[name] !== "function") {
      return [];
    }
    return [
      (argument) => {
        const entrypoint = new (main as Entrypoint)(ctx, env);
        return (entrypoint[name] as Method).call(entrypoint, argument);
      },
    ];
  }
  const handler = (main as Record<string, unknown> | null | undefined)?.[name];
  if (typeof handler !== "function") return [];
  return [(argument) => (handler as Method).call(main, argument, env, ctx)];
}

function textOf(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } catch {
    return "something that cannot be printed";
  }
}

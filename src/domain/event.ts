/** Events that run a Worker without a visitor: what is sent, and how it went. Plain data that crosses processes. */
import type { WorkerId } from "./ids.ts";

export type WorkerEvent =
  | {
      readonly type: "scheduled";
      readonly cron: string;
      /** Milliseconds since 1970, on a whole minute. */
      readonly scheduledTime: number;
    }
  /** Ids alone: the gateway fetches the batch itself. */
  | { readonly type: "queue"; readonly queueId: string; readonly batchId: string };

export interface EventDispatch {
  /** Of this event: sent again under the same id, it is not run twice while the first is remembered. */
  readonly id: string;
  readonly workerId: WorkerId;
  readonly event: WorkerEvent;
}

/** Nothing of the Worker has run, so the event may be sent again. */
export type NotBegun =
  /** No gateway could take it, or none knew what is current. */
  | "unavailable"
  /** The Worker was deleted. */
  | "no_worker"
  | "no_deployment"
  /** The version is not run any more, see domain/breaker. */
  | "stopped"
  /** The version did not start. */
  | "load_failed"
  /** A queue's batch that is somebody else's by now. */
  | "batch_gone";

export type Outcome =
  | "ok"
  /** The handler threw, or work that it left behind failed. */
  | "exception"
  /** The version has no handler for such events. */
  | "no_handler"
  /** Its process ended, or did not answer in time: how far it came is not known. */
  | "lost"
  | NotBegun;

export interface EventResult {
  readonly outcome: Outcome;
  /** For the operator: what was thrown, or why it was not begun. */
  readonly detail?: string;
  readonly versionId?: string;
}

const NOT_BEGUN: ReadonlySet<Outcome> = new Set<NotBegun>([
  "unavailable",
  "no_worker",
  "no_deployment",
  "stopped",
  "load_failed",
  "batch_gone",
]);

export const isNotBegun = (outcome: Outcome): outcome is NotBegun => NOT_BEGUN.has(outcome);

const OUTCOMES: ReadonlySet<unknown> = new Set<Outcome>([
  "ok",
  "exception",
  "no_handler",
  "lost",
  ...(NOT_BEGUN as ReadonlySet<NotBegun>),
]);

/** null for what is none. */
export function readEventResult(value: unknown): EventResult | null {
  const { outcome, detail, versionId } = (value ?? {}) as Record<string, unknown>;
  if (!OUTCOMES.has(outcome)) return null;
  return {
    outcome: outcome as Outcome,
    ...(typeof detail === "string" ? { detail } : {}),
    ...(typeof versionId === "string" ? { versionId } : {}),
  };
}

/** null for what is none. */
export function readEventDispatch(value: unknown): EventDispatch | null {
  const { id, workerId, event } = (value ?? {}) as Record<string, unknown>;
  if (typeof id !== "string" || typeof workerId !== "string") return null;
  const read = readEvent(event);
  return read && { id, workerId: workerId as WorkerId, event: read };
}

function readEvent(value: unknown): WorkerEvent | null {
  const { type, cron, scheduledTime, queueId, batchId } = (value ?? {}) as Record<string, unknown>;
  if (type === "scheduled" && typeof cron === "string" && typeof scheduledTime === "number") {
    return { type, cron, scheduledTime };
  }
  if (type === "queue" && typeof queueId === "string" && typeof batchId === "string") {
    return { type, queueId, batchId };
  }
  return null;
}

/** Under this name the supervisor places a Worker's events among its processes. No host name has a colon. */
export const eventHost = (workerId: WorkerId): string => `${EVENT_HOST_PREFIX}${workerId}`;
export const EVENT_HOST_PREFIX = "event:";

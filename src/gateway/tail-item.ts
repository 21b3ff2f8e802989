import { CONTROL_ENTRYPOINT } from "./injected-modules.ts";
import type { TailDispatch } from "./tail-dispatches.ts";
import type { TailDiagnostic, TailEvent, TailException, TailLog } from "../domain/tail-event.ts";

/** Whose invocation the runtime tells of. */
export interface TailedVersion {
  readonly workerId: string;
  readonly versionId: string;
  readonly workerName: string;
}

/** The method of a Durable Object's class through which its alarm comes. */
const ALARM_METHOD = "__switchbackAlarm";

/** The methods of the injected entrypoint through which events come in; what else is called there is the gateway's own. */
const DISPATCHED = new Set(["scheduled", "queue"]);

/** The dispatched event behind an item, if it is one: what to ask the dispatcher's notes for. */
export function dispatchedMethod(item: TraceItem): string | null {
  const method = rpcMethodOf(item);
  return item.entrypoint === CONTROL_ENTRYPOINT && method !== null && DISPATCHED.has(method)
    ? method
    : null;
}

/**
 * What the runtime tells of one invocation, as a tail shows it; null for what the gateway itself has called. The
 * runtime has already hidden credentials in headers and query strings. `now`: milliseconds since 1970, when it told.
 */
export function toTailEvent(
  item: TraceItem,
  version: TailedVersion,
  now: number,
  dispatch: TailDispatch | null,
): TailEvent | null {
  const isOwn = item.entrypoint === CONTROL_ENTRYPOINT;
  const method = dispatchedMethod(item);
  if (isOwn && method === null) return null;
  const { eventTimestamp, durableObjectId } = item;
  return {
    outcome: dispatch?.outcome ?? (isOwn ? outcomeOfCall(item) : item.outcome),
    scriptName: version.workerName,
    scriptVersion: { id: version.versionId },
    entrypoint: isOwn ? null : (item.entrypoint ?? null),
    executionModel: item.executionModel,
    ...(durableObjectId === undefined ? {} : { durableObjectId }),
    truncated: item.truncated,
    // The runtime of one machine measures neither. It tells as soon as the invocation is over, waitUntil and all.
    wallTime: item.wallTime || (eventTimestamp === null ? 0 : Math.max(0, now - eventTimestamp)),
    cpuTime: item.cpuTime,
    eventTimestamp,
    event: method === null ? eventInfo(item) : (dispatch?.event ?? { rpcMethod: method }),
    logs: item.logs.map(toLog),
    exceptions: item.exceptions.map(toException),
    diagnosticsChannelEvents: item.diagnosticsChannelEvents.map(toDiagnostic),
    scriptTags: [],
  };
}

/** The call through which an event came succeeds, whatever its handler has thrown. */
const outcomeOfCall = ({ outcome, exceptions }: TraceItem): string =>
  outcome === "ok" && exceptions.length > 0 ? "exception" : outcome;

/** The runtime's objects have getters only; a copy as JSON has their values. */
function eventInfo(item: TraceItem): Readonly<Record<string, unknown>> | null {
  if (rpcMethodOf(item) === ALARM_METHOD) {
    return { scheduledTime: new Date(item.eventTimestamp ?? 0).toISOString() };
  }
  const { event } = item;
  return event === null ? null : (JSON.parse(JSON.stringify(event)) as Record<string, unknown>);
}

function rpcMethodOf({ event }: TraceItem): string | null {
  const method = (event as { rpcMethod?: unknown } | null)?.rpcMethod;
  return typeof method === "string" ? method : null;
}

const toLog = ({ message, level, timestamp }: TraceLog): TailLog => ({
  message: Array.isArray(message) ? message : [message],
  level,
  timestamp,
});

const toException = ({ name, message, timestamp, stack }: TraceException): TailException => ({
  name,
  message,
  timestamp,
  ...(stack === undefined ? {} : { stack }),
});

const toDiagnostic = ({
  channel,
  message,
  timestamp,
}: TraceDiagnosticChannelEvent): TailDiagnostic => ({
  channel,
  message: message ?? null,
  timestamp,
});

/** What a tail tells of one invocation of a version: Cloudflare's `trace-v1`, which wrangler prints. */
import { TAIL_EVENT_CHARS_MAX } from "./limits-tail.ts";

export interface TailLog {
  /** What was logged, one value for each argument. */
  readonly message: readonly unknown[];
  readonly level: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
}

export interface TailException {
  readonly name: string;
  readonly message: string;
  readonly timestamp: number;
  readonly stack?: string;
}

export interface TailDiagnostic {
  readonly channel: string;
  readonly message: unknown;
  readonly timestamp: number;
}

/** All of it is data, and most of it the deployed code's own words. */
export interface TailEvent {
  readonly outcome: string;
  readonly scriptName: string;
  readonly scriptVersion: { readonly id: string };
  /** null: the default one. */
  readonly entrypoint: string | null;
  /** `stateless`, `durableObject`, … */
  readonly executionModel: string;
  readonly durableObjectId?: string;
  /** Something is left out: it was too much. */
  readonly truncated: boolean;
  /** Milliseconds. */
  readonly wallTime: number;
  /** Milliseconds; 0 where the runtime does not measure it. */
  readonly cpuTime: number;
  readonly eventTimestamp: number | null;
  /** What it was: `{ request, response }`, `{ cron, scheduledTime }`, `{ queue, batchSize }`, `{ rpcMethod }`, … */
  readonly event: Readonly<Record<string, unknown>> | null;
  readonly logs: readonly TailLog[];
  readonly exceptions: readonly TailException[];
  readonly diagnosticsChannelEvents: readonly TailDiagnostic[];
  readonly scriptTags: readonly string[];
}

/** What one gateway has to tell those who tail a Worker. */
export interface TailBatch {
  readonly scriptName: string;
  readonly events: readonly TailEvent[];
  /** Events before these that it could not keep. */
  readonly dropped: number;
}

/** The request of an invocation that had one. */
export interface TailRequest {
  readonly url: string;
  readonly method: string;
  /** Names in lower case; what looks like a credential is already hidden. */
  readonly headers: Readonly<Record<string, string>>;
}

export const requestOf = ({ event }: TailEvent): TailRequest | null =>
  (event?.["request"] as TailRequest | undefined) ?? null;

/**
 * The event and its JSON, which is at most `TAIL_EVENT_CHARS_MAX` long: what is too much goes from the end, logs last
 * of all that can go, and the event says so.
 */
export function fitted(event: TailEvent): { readonly event: TailEvent; readonly json: string } {
  const json = JSON.stringify(event);
  if (json.length <= TAIL_EVENT_CHARS_MAX) return { event, json };
  let room = TAIL_EVENT_CHARS_MAX;
  const spend = (chars: number): boolean => (room -= chars) >= 0;
  const bare: TailEvent = {
    ...event,
    truncated: true,
    logs: [],
    exceptions: [],
    diagnosticsChannelEvents: [],
  };
  // What remains is the request: its URL and headers are bounded by the host, its `cf` is not the visitor's.
  spend(JSON.stringify(bare).length);
  const fits = (value: unknown): boolean => spend(JSON.stringify(value).length + 1);
  const cut: TailEvent = {
    ...bare,
    exceptions: takeWhile(event.exceptions, fits),
    logs: takeWhile(event.logs, fits),
    diagnosticsChannelEvents: takeWhile(event.diagnosticsChannelEvents, fits),
  };
  return { event: cut, json: JSON.stringify(cut) };
}

function takeWhile<T>(values: readonly T[], keep: (value: T) => boolean): readonly T[] {
  const end = values.findIndex((value) => !keep(value));
  return end === -1 ? values : values.slice(0, end);
}

/** A line of the platform's own among a tail's events, in the shape that wrangler prints in colour. */
export const tailNotice = (
  scriptName: string,
  message: string,
  now: number,
): Readonly<Record<string, unknown>> => ({
  outcome: "ok",
  scriptName,
  logs: [],
  exceptions: [],
  diagnosticsChannelEvents: [],
  eventTimestamp: now,
  event: { type: "overload", message },
});

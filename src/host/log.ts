/**
 * The host's log: one line per event on standard output, as text (`time level event key=value …`) or as JSON.
 * Nothing here is written per request, and no line ever holds a token or a key.
 */

export type Level = "debug" | "info" | "warn" | "error";
export type LogFormat = "text" | "json";
export type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** Takes one event. `process` among the fields: which process said it, if it was not the writer of this log. */
export interface Log {
  event(level: Level, event: string, fields?: Fields): void;
}

/** `2026-11-23T10:00:00.000Z info runtime back ms=240 pid=17`. Never more than one line. */
export function formatEvent(time: Date, level: Level, event: string, fields: Fields = {}): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${quoted(String(value))}`);
  return `${time.toISOString()} ${level} ${event}${pairs.join("")}`;
}

/** The same as one JSON object. No field can take the place of the time, the level or the event. */
function jsonEvent(time: Date, level: Level, event: string, fields: Fields): string {
  const first = { time: time.toISOString(), level, event };
  return JSON.stringify({ ...first, ...fields, ...first });
}

/** `writer`: the process whose log this is; told in every line of JSON. */
export function createLog(
  write: (text: string) => void,
  now: () => Date,
  { format = "text", writer = "supervisor" }: { format?: LogFormat; writer?: string } = {},
): Log {
  return {
    event: (level, event, fields = {}) => {
      const line =
        format === "json"
          ? jsonEvent(now(), level, event, { process: writer, ...fields })
          : formatEvent(now(), level, event, fields);
      write(`${line}\n`);
    },
  };
}

/** Bare where that is unambiguous, else a JSON string: a value cannot start a new line or a new key. */
function quoted(value: string): string {
  return /^[\w./:@+,[\]-]+$/.test(value) ? value : JSON.stringify(value);
}

/**
 * The host's log: one line per event on standard output, `time level event key=value …`.
 * Nothing here is written per request, and no line ever holds a token or a key.
 */

export type Level = "debug" | "info" | "warn" | "error";
export type Fields = Readonly<Record<string, string | number | undefined>>;
/** Takes one event; `line` is for lines that are already complete (JSON from the Worker). */
export interface Log {
  event(level: Level, event: string, fields?: Fields): void;
  line(text: string): void;
}

/** `2026-11-23T10:00:00.000Z info runtime back after 240 ms pid=17`. Never more than one line. */
export function formatEvent(time: Date, level: Level, event: string, fields: Fields = {}): string {
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}=${quoted(String(value))}`);
  return `${time.toISOString()} ${level} ${event}${pairs.join("")}`;
}

export function createLog(write: (text: string) => void, now: () => Date): Log {
  return {
    event: (level, event, fields) => write(`${formatEvent(now(), level, event, fields)}\n`),
    line: (text) => write(`${text}\n`),
  };
}

/** Bare where that is unambiguous, else a JSON string: a value cannot start a new line or a new key. */
function quoted(value: string): string {
  return /^[\w./:@+,[\]-]+$/.test(value) ? value : JSON.stringify(value);
}

/**
 * What becomes of a line that the runtime or a Worker in it wrote. The text is not trusted: deployed
 * code writes to the same stream, so nothing may pass that could look like two lines, or like the host's own.
 */
import { LOG_LINE_CHARS_MAX } from "../domain/limits.ts";
import type { Fields, Level, Log } from "./log.ts";

export interface RuntimeLogEntry {
  /** Milliseconds since the epoch. */
  timestamp: number;
  level: string;
  message: string;
}

/**
 * Unloading a version ends its isolate; the runtime reports each time that it does not know why. And visitors who
 * leave while they wait for another one's question to the control plane are warned about, one line for each.
 */
const EXPECTED =
  /script terminated for unknown reasons|^Warning: A promise was resolved or rejected from a different request context|^ +at <anonymous>$/;
/** Traces of the runtime itself: a source position of its C++, or its stack and error-report fields. */
const RUNTIME_INTERNAL = /\.c\+\+:\d+: |^stack: |sentryErrorContext/;
const NAME = /^[A-Za-z][\w.-]{0,63}$/;
const NAMES_MAX = 32;

/** `process`: who wrote it, `control` or the name of a gateway. */
export function passRuntimeLog(entry: RuntimeLogEntry, process: string, log: Log): void {
  const { message } = entry;
  if (EXPECTED.test(message)) return;
  if (RUNTIME_INTERNAL.test(message)) {
    const summary = message.split(/\n|; ?stack:/, 1)[0] ?? "";
    // A stack without its error says nothing that the crash line does not.
    if (summary.startsWith("stack:")) return;
    return log.event("warn", "runtime notice", { text: cut(summary, 300), process });
  }
  const own = eventIn(message);
  if (own !== null) return log.event(own.level, own.event, { ...own.fields, process });
  log.event(levelOf(entry.level), "console", { text: cut(message, LOG_LINE_CHARS_MAX), process });
}

/** A line of Switchback's own Worker, or one of deployed code that has the very same form. */
function eventIn(message: string): { level: Level; event: string; fields: Fields } | null {
  if (!message.startsWith("{") || message.length > LOG_LINE_CHARS_MAX) return null;
  let line: Record<string, unknown>;
  try {
    line = JSON.parse(message) as Record<string, unknown>;
  } catch {
    return null;
  }
  const { level, event, ...rest } = line;
  if (typeof level !== "string" || typeof event !== "string" || !NAME.test(event)) return null;
  const fields = Object.entries(rest);
  if (fields.length > NAMES_MAX || !fields.every(([name]) => NAME.test(name))) return null;
  return {
    level: levelOf(level),
    event,
    fields: Object.fromEntries(fields.map(([name, value]) => [name, plain(value)])),
  };
}

const plain = (value: unknown): Fields[string] =>
  value === null || typeof value !== "object" ? (value as Fields[string]) : JSON.stringify(value);

function levelOf(level: string): Level {
  return level === "debug" || level === "warn" || level === "error" ? level : "info";
}

function cut(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax)}…`;
}

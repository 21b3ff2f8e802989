/**
 * What becomes of a line that the runtime or a Worker in it wrote. The text is not trusted: deployed
 * code writes to the same stream, so nothing may pass that could look like two lines.
 */
import { LOG_LINE_CHARS_MAX } from "../domain/limits.ts";
import type { Level, Log } from "./log.ts";

export interface RuntimeLogEntry {
  /** Milliseconds since the epoch. */
  timestamp: number;
  level: string;
  message: string;
}

/** Unloading a version ends its isolate; the runtime reports each time that it does not know why. */
const EXPECTED = /script terminated for unknown reasons/;
/** Traces of the runtime itself: a source position of its C++, or its stack and error-report fields. */
const RUNTIME_INTERNAL = /\.c\+\+:\d+: |^stack: |sentryErrorContext/;

export function passRuntimeLog(entry: RuntimeLogEntry, log: Log): void {
  const { message } = entry;
  if (EXPECTED.test(message)) return;
  if (RUNTIME_INTERNAL.test(message)) {
    const summary = message.split(/\n|; ?stack:/, 1)[0] ?? "";
    // A stack without its error says nothing that the crash line does not.
    if (!summary.startsWith("stack:"))
      log.event("warn", "runtime notice", { text: cut(summary, 300) });
  } else if (isJsonObjectLine(message)) {
    log.line(message);
  } else {
    log.event(levelOf(entry.level), "console", { text: cut(message, LOG_LINE_CHARS_MAX) });
  }
}

function isJsonObjectLine(message: string): boolean {
  if (!message.startsWith("{") || message.length > LOG_LINE_CHARS_MAX || /[\r\n]/.test(message)) {
    return false;
  }
  try {
    JSON.parse(message);
    return true;
  } catch {
    return false;
  }
}

function levelOf(level: string): Level {
  return level === "debug" || level === "warn" || level === "error" ? level : "info";
}

function cut(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax)}…`;
}

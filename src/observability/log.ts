import { count } from "./counters.ts";

/** Where the lines go: the host, or the platform, collects the console. */
export type LogLevel = "info" | "warn" | "error";

/** What a line says beside its event: short, and never a secret or a body. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

const TEXT_CHARS_MAX = 500;

/** One event, one line of JSON. Long texts are cut, so that no tenant can fill the log with one error. */
export function logEvent(level: LogLevel, event: string, fields: LogFields = {}): void {
  count("events", { event });
  const line: Record<string, unknown> = { level, event };
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    line[name] =
      typeof value === "string" && value.length > TEXT_CHARS_MAX
        ? `${value.slice(0, TEXT_CHARS_MAX)}…`
        : value;
  }
  console.log(JSON.stringify(line));
}

/**
 * Cron expressions in Cloudflare's dialect, in UTC: five fields; weekdays from 1, Sunday, to 7; names of months and
 * days; `L`, `W` and `#`. The calendar is croner's; what it writes otherwise is rewritten here.
 */
import { Cron } from "croner";
import { CRON_CHARS_MAX } from "./limits-cron.ts";
import { err, ok, type Result } from "./result.ts";

/** The firings of one expression, each on a whole minute. Times are milliseconds since 1970. */
export interface CronTimes {
  /** The first firing after `time`; null: there is none any more. */
  after(time: number): number | null;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** From `min` on. */
  readonly names: readonly string[];
  /** What stands for itself, instead of a list of values. */
  readonly special: RegExp | null;
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const FIELDS: readonly Field[] = [
  { name: "minute", min: 0, max: 59, names: [], special: null },
  { name: "hour", min: 0, max: 23, names: [], special: null },
  { name: "day of the month", min: 1, max: 31, names: [], special: /^(?:L|LW|\d{1,2}W)$/ },
  { name: "month", min: 1, max: 12, names: MONTHS, special: null },
  { name: "weekday", min: 1, max: 7, names: DAYS, special: /^(?:L|[1-7A-Z]{1,3}(?:L|#[1-5]))$/ },
];

/** The expression's firings; otherwise a sentence that says what is wrong with it. */
export function parseCron(text: string): Result<CronTimes, string> {
  if (text.length > CRON_CHARS_MAX) return err(`It is longer than ${CRON_CHARS_MAX} characters.`);
  const parts = text.trim().split(/[ \t]+/);
  if (parts.length !== FIELDS.length) {
    return err("It has to have five fields: minute, hour, day of the month, month, weekday.");
  }
  const fields: string[] = [];
  for (const [index, field] of FIELDS.entries()) {
    const rewritten = rewrite(parts[index] ?? "", field);
    if (rewritten === null) {
      return err(`${JSON.stringify(parts[index])} is no ${field.name} (${rangeOf(field)}).`);
    }
    fields.push(rewritten);
  }
  let cron: Cron;
  try {
    const options = {
      utcOffset: 0,
      paused: true,
      alternativeWeekdays: true,
      mode: "5-part",
    } as const;
    cron = new Cron(fields.join(" "), options);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
  const after = (time: number) => cron.nextRun(new Date(time))?.getTime() ?? null;
  return after(0) === null ? err("It never fires.") : ok({ after });
}

const rangeOf = ({ min, max, names }: Field): string =>
  `${min} to ${max}${names.length > 0 ? `, or ${names[0]} to ${names.at(-1)}` : ""}`;

/** A field as croner writes it; null for what is none. */
function rewrite(text: string, field: Field): string | null {
  const upper = text.toUpperCase();
  if (upper === "*") return upper;
  if (field.special?.test(upper)) return rewriteSpecial(upper, field);
  const items = upper.split(",").map((item) => rewriteItem(item, field));
  return items.includes(null) ? null : items.join(",");
}

function rewriteSpecial(text: string, field: Field): string | null {
  // Saturday, the last day of a week.
  if (field.names.length > 0 && text === "L") return String(field.max);
  const value = /^(\d+|[A-Z]{3})(?=[LW#])/.exec(text)?.[0];
  if (value !== undefined && valueOf(value, field) === null) return null;
  return value === undefined && text !== "L" && text !== "LW" ? null : text;
}

// `a`, `a-b`, `*/n`, `a/n` or `a-b/n`.
function rewriteItem(text: string, field: Field): string | null {
  const [, first, last, step] =
    /^(\*|[A-Z]{3}|\d{1,2})(?:-([A-Z]{3}|\d{1,2}))?(?:\/(\d{1,2}))?$/.exec(text) ?? [];
  if (first === undefined) return null;
  const from = first === "*" ? field.min : valueOf(first, field);
  const to = last === undefined ? null : valueOf(last, field);
  if (from === null || (last !== undefined && (to === null || to < from || first === "*")))
    return null;
  if (step === undefined)
    return first === "*" ? null : to === null ? String(from) : `${from}-${to}`;
  const by = Number(step);
  if (by < 1 || by > field.max - field.min) return null;
  return `${from}-${to ?? field.max}/${by}`;
}

function valueOf(text: string, { min, max, names }: Field): number | null {
  const named = names.indexOf(text);
  if (named >= 0) return min + named;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : null;
}

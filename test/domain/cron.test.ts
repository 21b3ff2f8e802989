import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type CronTimes, parseCron } from "../../src/domain/cron.ts";
import { dueFirings, isTooLate, nextLook, type Schedule } from "../../src/domain/cron-due.ts";
import { CRON_CHARS_MAX, CRON_LATE_MS_MAX } from "../../src/domain/limits-cron.ts";
import type { WorkerId } from "../../src/domain/ids.ts";

const MINUTE = 60_000;
const at = (text: string) => Date.parse(`${text}Z`);
/** A Monday. */
const MONDAY = at("2026-11-23T08:00:00");

function timesOf(cron: string): CronTimes {
  const parsed = parseCron(cron);
  if (!parsed.ok) throw new Error(`${cron}: ${parsed.error}`);
  return parsed.value;
}

function firings(cron: string, count: number, from = MONDAY): string[] {
  const found: string[] = [];
  for (let time = timesOf(cron).after(from); time !== null && found.length < count;) {
    found.push(new Date(time).toISOString().slice(0, 16));
    time = timesOf(cron).after(time);
  }
  return found;
}

describe("Cloudflare's dialect, by the examples of its documentation", () => {
  it.each([
    ["* * * * *", ["2026-11-23T08:01", "2026-11-23T08:02"]],
    ["*/30 * * * *", ["2026-11-23T08:30", "2026-11-23T09:00"]],
    ["45 * * * *", ["2026-11-23T08:45", "2026-11-23T09:45"]],
    ["0 17 * * sun", ["2026-11-29T17:00", "2026-12-06T17:00"]],
    ["0 17 * * 1", ["2026-11-29T17:00", "2026-12-06T17:00"]],
    ["10 7 * * mon-fri", ["2026-11-24T07:10", "2026-11-25T07:10"]],
    ["10 7 * * 2-6", ["2026-11-24T07:10", "2026-11-25T07:10"]],
    ["0 15 1 * *", ["2026-12-01T15:00", "2027-01-01T15:00"]],
    ["0 18 * * 6L", ["2026-11-27T18:00", "2026-12-25T18:00"]],
    ["0 18 * * friL", ["2026-11-27T18:00", "2026-12-25T18:00"]],
    ["59 23 LW * *", ["2026-11-30T23:59", "2026-12-31T23:59", "2027-01-29T23:59"]],
    ["0 0 L * *", ["2026-11-30T00:00", "2026-12-31T00:00"]],
    ["0 0 15W * *", ["2026-12-15T00:00", "2027-01-15T00:00", "2027-02-15T00:00"]],
    ["0 9 * * 2#2", ["2026-12-14T09:00", "2027-01-11T09:00"]],
    ["0 9 * * MON#2", ["2026-12-14T09:00", "2027-01-11T09:00"]],
    ["0 0 * * L", ["2026-11-28T00:00", "2026-12-05T00:00"]],
    ["50/5 8 * * *", ["2026-11-23T08:50", "2026-11-23T08:55", "2026-11-24T08:50"]],
    ["0 0 * jan,JUL *", ["2027-01-01T00:00", "2027-01-02T00:00"]],
    [
      "0 0 1-5/2,20 12 *",
      ["2026-12-01T00:00", "2026-12-03T00:00", "2026-12-05T00:00", "2026-12-20T00:00"],
    ],
    // Either of both days.
    ["0 0 26 * 2", ["2026-11-26T00:00", "2026-11-30T00:00"]],
    ["0 0 29 2 *", ["2028-02-29T00:00", "2032-02-29T00:00"]],
  ])("%s", (cron, expected) => {
    expect(firings(cron, expected.length)).toEqual(expected);
  });

  it.each([
    "",
    "* * * *",
    "* * * * * *",
    "@daily",
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * 32 * *",
    "* * * 13 *",
    "* * * * 0",
    "* * * * 8",
    "* * * * 1-8",
    "* * * FEBRUARY *",
    "10-5 * * * *",
    "*/0 * * * *",
    "*/60 * * * *",
    "* * ? * *",
    "* * L-3 * *",
    "* * 5L * *",
    "* * 32W * *",
    "* * * * 1#6",
    "* * * * 8L",
    "*,1 * * * *",
    "1,,2 * * * *",
    "-1 * * * *",
    "1.5 * * * *",
    "* * * * MO",
    "* * * * XYZL",
    "*-5 * * * *",
    "1/2/3 * * * *",
    "\u0000 * * * *",
  ])("refuses %j", (cron) => {
    expect(parseCron(cron)).toEqual({ ok: false, error: expect.any(String) });
  });

  it("refuses what never fires, and what nobody can read", () => {
    expect(parseCron("0 0 31 2 *")).toEqual({ ok: false, error: "It never fires." });
    const minutes = Array.from({ length: 200 }, (_, minute) => minute % 60).join(",");
    const long = `${minutes} * * * *`;
    expect(parseCron(long.slice(0, CRON_CHARS_MAX + 1)).ok).toBe(false);
  });

  it("nothing that a client sends makes it throw", () => {
    const piece = fc.constantFrom(
      "*",
      "/",
      "-",
      ",",
      "L",
      "W",
      "#",
      "1",
      "7",
      "31",
      "MON",
      "jan",
      " ",
      "?",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join("")),
        ),
        (text) => {
          expect(typeof parseCron(text).ok).toBe("boolean");
        },
      ),
    );
  });
});

/** An independent reading of lists, ranges and steps. */
const field = (min: number, max: number) =>
  fc.uniqueArray(fc.integer({ min, max }), { minLength: 1, maxLength: 4 });
const expression = fc.record({
  minute: field(0, 59),
  hour: fc.option(field(0, 23)),
  day: fc.option(field(1, 28)),
  month: fc.option(field(1, 12)),
  weekday: fc.option(field(1, 7)),
});
const textOf = ({ minute, hour, day, month, weekday }: { [key: string]: number[] | null }) =>
  [minute, hour, day, month, weekday].map((values) => values?.join(",") ?? "*").join(" ");

describe("the next firing", () => {
  it("is the first minute after that matches, and nothing between matches", () => {
    fc.assert(
      fc.property(expression, fc.integer({ min: 0, max: 500_000 }), (given, minutes) => {
        const matches = (time: number) => {
          const date = new Date(time);
          const has = (values: number[] | null, value: number) => values?.includes(value) ?? true;
          const days =
            given.day !== null && given.weekday !== null
              ? has(given.day, date.getUTCDate()) || has(given.weekday, date.getUTCDay() + 1)
              : has(given.day, date.getUTCDate()) && has(given.weekday, date.getUTCDay() + 1);
          return (
            has(given.minute, date.getUTCMinutes()) &&
            has(given.hour, date.getUTCHours()) &&
            has(given.month, date.getUTCMonth() + 1) &&
            days
          );
        };
        const from = MONDAY + minutes * MINUTE + 17_123;
        const next = timesOf(textOf(given)).after(from);
        expect(next).not.toBeNull();
        expect((next ?? 1) % MINUTE).toBe(0);
        expect(matches(next ?? 0)).toBe(true);
        const first = Math.ceil((from + 1) / MINUTE) * MINUTE;
        const before = Math.min(next ?? 0, first + 3 * 24 * 60 * MINUTE);
        for (let time = first; time < before; time += MINUTE) {
          if (matches(time))
            expect.fail(`${textOf(given)} fires at ${new Date(time).toISOString()}`);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("what is due", () => {
  const workerId = "w" as WorkerId;
  const schedule = (cron: string, createdOn = 0): Schedule => ({ workerId, cron, createdOn });
  const due = (schedules: Schedule[], lookedAt: number, now: number) =>
    dueFirings(schedules, timesOf, lookedAt, now).map(({ scheduledTime }) => scheduledTime);

  it("is each firing once, at whatever times the clock looks", () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 59 * MINUTE }), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(gaps, fc.constantFrom(1, 5, 7, 30), (looks, step) => {
        let lookedAt = MONDAY;
        const fired: number[] = [];
        for (const gap of looks) {
          fired.push(...due([schedule(`*/${step} * * * *`)], lookedAt, lookedAt + gap));
          lookedAt += gap;
        }
        expect(new Set(fired).size).toBe(fired.length);
        for (const time of fired) expect(((time / MINUTE) % 60) % step).toBe(0);
        // The last firing before each look was not forgotten.
        const last = fired.at(-1) ?? MONDAY;
        const next = timesOf(`*/${step} * * * *`).after(last) ?? 0;
        expect(next).toBeGreaterThan(lookedAt);
      }),
    );
  });

  it("of several that were missed, the last is made up for; none that is too late", () => {
    const hourly = [schedule("0 * * * *")];
    const now = MONDAY + 3 * 60 * MINUTE + 1;
    expect(due(hourly, MONDAY, now)).toEqual([MONDAY + 3 * 60 * MINUTE]);
    const daily = [schedule("0 8 * * *")];
    const lookedAt = MONDAY - MINUTE;
    expect(due(daily, lookedAt, MONDAY + CRON_LATE_MS_MAX - 1)).toEqual([MONDAY]);
    expect(due(daily, lookedAt, MONDAY + CRON_LATE_MS_MAX)).toEqual([]);
    const firing = { workerId, cron: "", scheduledTime: MONDAY };
    expect(isTooLate(firing, MONDAY + CRON_LATE_MS_MAX)).toBe(false);
    expect(isTooLate(firing, MONDAY + CRON_LATE_MS_MAX + 1)).toBe(true);
  });

  it("is nothing from before the schedule was made", () => {
    expect(due([schedule("* * * * *", MONDAY)], MONDAY - MINUTE, MONDAY)).toEqual([]);
    expect(due([schedule("* * * * *", MONDAY - 1)], MONDAY - MINUTE, MONDAY)).toEqual([MONDAY]);
  });

  it("the clock looks again when the first of them fires, at the latest in a day; never without any", () => {
    const schedules = [schedule("30 9 * * *"), schedule("15 9 * * *")];
    expect(nextLook(schedules, timesOf, MONDAY)).toBe(at("2026-11-23T09:15:00"));
    expect(nextLook([schedule("0 0 29 2 *")], timesOf, MONDAY)).toBe(MONDAY + 24 * 60 * MINUTE);
    expect(nextLook([], timesOf, MONDAY)).toBeNull();
  });
});

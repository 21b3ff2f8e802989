/** The same Workers on Cloudflare's local runtime and on Switchback: whatever code can see is the same. */
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Answers,
  askHttp,
  askSockets,
  askWorker,
  HTTP_GROUPS,
  WORKER_GROUPS,
} from "./answers.ts";
import { differences } from "./compare.ts";
import { differencesTable, isThere, matches } from "./differences-table.ts";
import { KNOWN_DIFFERENCES } from "./known-differences.ts";
import { type Side, startReference, startSubject } from "./side.ts";

/** Fewer would mean that a part of the suite does not run. */
const CHECKS_MIN = 400;

let reference: Side;
let subject: Side;
let checks = 0;
/** All that differs, as `group: check @ place`, with what either side says. */
const found = new Map<string, string>();

beforeAll(async () => {
  [reference, subject] = await Promise.all([startReference(), startSubject()]);
});

afterAll(() => Promise.all([reference?.stop(), subject?.stop()]));

/** Notes the differences of a group, and fails for those that nobody knows. */
function compare(group: string, expected: Answers, actual: Answers): void {
  expect(Object.keys(actual)).toEqual(Object.keys(expected));
  checks += Object.keys(expected).length;
  const unknown: string[] = [];
  for (const [name, answer] of Object.entries(expected)) {
    for (const { at, reference: there, subject: here } of differences(answer, actual[name])) {
      const place = `${group}: ${name} @ ${at}`;
      found.set(
        place,
        `reference ${JSON.stringify(there)}\n    Switchback ${JSON.stringify(here)}`,
      );
      if (!KNOWN_DIFFERENCES.some((known) => isThere(known, place)))
        unknown.push(`${place}\n    ${found.get(place)}`);
    }
  }
  expect(unknown).toEqual([]);
}

describe("seen by the Worker", () => {
  test.each(WORKER_GROUPS)("%s", async (group) => {
    const [expected, actual] = await Promise.all([
      askWorker(reference, group),
      askWorker(subject, group),
    ]);
    compare(group, expected, actual);
  });
});

describe("seen by visitors", () => {
  test.each(Object.entries(HTTP_GROUPS))("%s", async (group, requests) => {
    const [expected, actual] = await Promise.all([
      askHttp(reference, requests),
      askHttp(subject, requests),
    ]);
    compare(group, expected, actual);
  });

  test("sockets", async () => {
    const [expected, actual] = await Promise.all([askSockets(reference), askSockets(subject)]);
    compare("sockets", expected, actual);
  });
});

test("all of the suite has run", () => {
  expect(checks).toBeGreaterThanOrEqual(CHECKS_MIN);
});

test("no difference that is called known has gone", () => {
  const places = [...found.keys()];
  const gone = KNOWN_DIFFERENCES.flatMap(({ at }) =>
    at.filter((pattern) => !places.some((place) => matches(pattern, place))),
  );
  expect(gone).toEqual([]);
});

test("docs/conformance.md shows the differences that there are", () => {
  const page = readFileSync(new URL("../../docs/conformance.md", import.meta.url), "utf8");
  expect(page).toContain(differencesTable(KNOWN_DIFFERENCES));
});

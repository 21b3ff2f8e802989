import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Flight } from "../../src/host/front/switchyard.ts";
import { controlAway, malformed, outcomeUnknown, visitorPage } from "../../src/host/own-answers.ts";

const page = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
const failures = readFileSync(new URL("../../docs/failure-modes.md", import.meta.url), "utf8");
const FLIGHT = { id: "r-1" } as Flight;

describe("a visitor's page", () => {
  it.each([
    ["gateway_lost", 502],
    ["gateways_unavailable", 503],
    ["wall_time_exceeded", 504],
    ["bad_request", 400],
  ] as const)(
    "%s has status %i, names its kind and the request, and is for no cache",
    (kind, status) => {
      const answer = visitorPage(kind, "r-1");
      expect(answer.status).toBe(status);
      expect(answer.headers).toMatchObject({
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
        "x-content-type-options": "nosniff",
        "x-request-id": "r-1",
        "x-switchback-error": kind,
      });
      expect(answer.body).toMatch(/^[A-Z].+\n[^]*Request id: r-1\n$/);
    },
  );
});

describe("an answer to a client of the API", () => {
  it.each([
    ["130036", "control_away", controlAway(FLIGHT), "true"],
    ["130034", "outcome_unknown", outcomeUnknown(FLIGHT), "false"],
  ])("%s is in Cloudflare's envelope and on the page of errors", (code, kind, answer, retry) => {
    const { success, errors, messages, result } = JSON.parse(answer.body) as {
      success: boolean;
      errors: { code: number; message: string }[];
      messages: unknown;
      result: unknown;
    };
    expect({ success, messages, result }).toEqual({ success: false, messages: [], result: null });
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).not.toMatch(/undefined|https?:/);
    expect(answer.headers).toMatchObject({
      "content-type": "application/json",
      "x-request-id": "r-1",
      "x-should-retry": retry,
    });
    expect("retry-after" in answer.headers).toBe(retry === "true");
    expect(String(errors[0]?.code)).toBe(code);
    expect(page).toContain(`| ${code} | \`${kind}\` | ${answer.status} |`);
  });
});

it("130036 is in docs/failure-modes.md in the words in which it comes", () => {
  const { errors } = JSON.parse(controlAway(FLIGHT).body) as { errors: { message: string }[] };
  expect(failures).toContain(`\n> ${errors[0]?.message}\n`);
});

it("what is malformed is refused in one sentence, which is no page of anything", () => {
  const answer = malformed(431, "The head is too large.", "r-2");
  expect(answer).toMatchObject({ status: 431, body: "The head is too large.\nRequest id: r-2\n" });
  expect(answer.headers).toMatchObject({
    "x-content-type-options": "nosniff",
    "x-request-id": "r-2",
    "x-switchback-error": "bad_request",
  });
  expect(malformed(502, "The answer is no HTTP.", "r-3").headers["x-switchback-error"]).toBe(
    "bad_answer",
  );
});

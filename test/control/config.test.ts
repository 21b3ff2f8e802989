import { describe, expect, it } from "vitest";
import { deploymentVersionsMax, leaseSkewMsOf, leaseTermsOf } from "../../src/control/config.ts";
import {
  DEPLOYMENT_VERSIONS_DEFAULT_MAX,
  DEPLOYMENT_VERSIONS_HARD_MAX,
  DRIFT_PERMILLE_DEFAULT,
  DRIFT_PERMILLE_MAX,
  LEASE_MS_DEFAULT,
  LEASE_MS_MAX,
  LEASE_MS_MIN,
  LEASE_SKEW_MS_DEFAULT,
  LEASE_SKEW_MS_MAX,
} from "../../src/domain/limits.ts";

/** A setting's name, how it is read, its default, and the least and the most that it may be. */
const SETTINGS: [string, (text?: string) => number, number, number, number][] = [
  [
    "DEPLOYMENT_VERSIONS_MAX",
    (text) => deploymentVersionsMax(given("DEPLOYMENT_VERSIONS_MAX", text)),
    DEPLOYMENT_VERSIONS_DEFAULT_MAX,
    1,
    DEPLOYMENT_VERSIONS_HARD_MAX,
  ],
  [
    "LEASE_MS",
    (text) => leaseTermsOf(given("LEASE_MS", text)).leaseMs,
    LEASE_MS_DEFAULT,
    LEASE_MS_MIN,
    LEASE_MS_MAX,
  ],
  [
    "LEASE_DRIFT_PERMILLE",
    (text) => leaseTermsOf(given("LEASE_DRIFT_PERMILLE", text)).driftPermille,
    DRIFT_PERMILLE_DEFAULT,
    0,
    DRIFT_PERMILLE_MAX,
  ],
  [
    "LEASE_SKEW_MS",
    (text) => leaseSkewMsOf(given("LEASE_SKEW_MS", text)),
    LEASE_SKEW_MS_DEFAULT,
    0,
    LEASE_SKEW_MS_MAX,
  ],
];

const given = (name: string, text: string | undefined): Record<string, string> =>
  text === undefined ? {} : { [name]: text };

describe.each(SETTINGS)("%s", (name, read, byDefault, min, max) => {
  it("has its default, and may be anything within its bounds", () => {
    expect(read()).toBe(byDefault);
    expect(read(String(min))).toBe(min);
    expect(read(String(max))).toBe(max);
  });

  it.each([String(min - 1), String(max + 1), "", "1.5", "many"])("cannot be %j", (text) => {
    expect(() => read(text)).toThrow(name);
  });
});

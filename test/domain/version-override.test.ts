import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CurrentDeployment } from "../../src/domain/deployment.ts";
import type { DeploymentId, VersionId } from "../../src/domain/ids.ts";
import { OVERRIDE_ENTRIES_MAX, OVERRIDE_HEADER_CHARS_MAX } from "../../src/domain/limits.ts";
import { decideOverride, parseOverridePolicy } from "../../src/domain/version-override.ts";

const uuid = (digit: string) =>
  `${digit.repeat(8)}-1111-4111-8111-${digit.repeat(12)}` as VersionId;
const [live, dark, gone] = [uuid("a"), uuid("b"), uuid("c")];
const deployment: CurrentDeployment = {
  seq: 1,
  deploymentId: uuid("d") as string as DeploymentId,
  versions: [
    { versionId: live, number: 1, percentage: 100 },
    { versionId: dark, number: 2, percentage: 0 },
  ],
};
const decide = (header: string | null, policy: "public" | "public-nonzero" | "off" = "public") =>
  decideOverride(header, "api", deployment, policy);
const ignored = (reason: string) => ({ kind: "ignored", reason });

describe("a version override", () => {
  it("reaches a version of the current deployment, also one without a share", () => {
    expect(decide(`api="${live}"`)).toEqual({ kind: "applied", versionId: live });
    expect(decide(`api="${dark}"`)).toEqual({ kind: "applied", versionId: dark });
    expect(decide(`api="${dark.toUpperCase()}"`)).toEqual({ kind: "applied", versionId: dark });
  });

  it("is found among other Workers' overrides", () => {
    expect(decide(`web="${gone}", api="${dark}";note=1, b="x"`)).toMatchObject({
      versionId: dark,
    });
    expect(decide(`web="${gone}"`)).toEqual({ kind: "none" });
    expect(decide("")).toEqual({ kind: "none" });
    expect(decide(null)).toEqual({ kind: "none" });
  });

  it("says why it was ignored", () => {
    expect(decide(`api="${gone}"`)).toEqual(ignored("not_in_deployment"));
    expect(decide(`api="latest"`)).toEqual(ignored("not_a_version_id"));
    // Without quotes an id is a number that goes wrong, or a token.
    expect(decide(`api=${uuid("1")}`)).toEqual(ignored("malformed"));
    expect(decide(`api=${live}`)).toEqual(ignored("not_a_version_id"));
    expect(decide(`api=("${live}")`)).toEqual(ignored("not_a_version_id"));
    expect(decide(`api="${live}`)).toEqual(ignored("malformed"));
    expect(decide(`api="${dark}"`, "public-nonzero")).toEqual(ignored("no_share"));
    expect(decide(`api="${live}"`, "off")).toEqual(ignored("off"));
  });

  it("under public-nonzero reaches versions with a share", () => {
    expect(decide(`api="${live}"`, "public-nonzero")).toMatchObject({ kind: "applied" });
  });

  it("cannot name a Worker whose name begins with a digit: no such key exists", () => {
    expect(decideOverride(`1api="${live}"`, "1api", deployment, "public")).toEqual(
      ignored("malformed"),
    );
  });

  it("has a longest header", () => {
    const entry = `api="${live}"`;
    const padded = entry + " ".repeat(OVERRIDE_HEADER_CHARS_MAX - entry.length);
    expect(decide(padded)).toMatchObject({ kind: "applied" });
    expect(decide(`${padded} `)).toEqual(ignored("too_long"));
  });

  it("has a most of entries", () => {
    const others = Array.from({ length: OVERRIDE_ENTRIES_MAX - 1 }, (_, n) => `w${n}="x", `);
    expect(decide(`${others.join("")}api="${live}"`)).toMatchObject({ kind: "applied" });
    expect(decide(`more="x", ${others.join("")}api="${live}"`)).toEqual(
      ignored("too_many_entries"),
    );
  });

  it("never throws, and only ever applies to a version of the deployment", () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        const decision = decide(header);
        if (decision.kind === "applied") expect([live, dark]).toContain(decision.versionId);
      }),
    );
  });
});

it("knows its policies", () => {
  expect(parseOverridePolicy("public-nonzero")).toBe("public-nonzero");
  expect(parseOverridePolicy("everyone")).toBeNull();
});

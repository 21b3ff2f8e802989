import { describe, expect, it } from "vitest";
import page from "../../docs/errors.md?raw";
import packageJson from "../../package.json" with { type: "json" };
import { toWireRefusal } from "../../src/api/errors.ts";
import { RELEASE } from "../../src/api/release.ts";
import { UPLOAD_BODY_BYTES_MAX } from "../../src/domain/limits.ts";
import { EACH, HOSTS_OWN } from "./each-error.ts";

const { uploaded_not_deployed: _, refused_for_several: several, ...withCodeOfTheirOwn } = EACH;
const all = Object.values(withCodeOfTheirOwn).map((error) => ({
  kind: error.kind,
  ...toWireRefusal(error),
}));
const codeOf = (refusal: (typeof all)[number]) => refusal.errors[0]?.code ?? 0;
const isOurs = (code: number) => code >= 130_000;

/** The page's rows as `code kind status`. */
const documented = [...page.matchAll(/^\| (\d+) \| `(\w+)` \| (\d+) \|/gm)].map(
  ([, code, kind, status]) => `${code} ${kind} ${status}`,
);

describe("every refusal", () => {
  it("is documented with its code and status, and nothing else is", () => {
    const real = all.map((refusal) => `${codeOf(refusal)} ${refusal.kind} ${refusal.status}`);
    expect(documented.toSorted()).toEqual([...real, ...HOSTS_OWN].toSorted());
  });

  it("has a code of its own where the code is ours; Cloudflare's stand for what they do there", () => {
    const codes = [...all.map(codeOf), ...HOSTS_OWN.map((row) => Number.parseInt(row, 10))];
    expect(new Set(codes.filter(isOurs)).size).toBe(codes.filter(isOurs).length);
    const shared = codes.filter((code, at) => codes.indexOf(code) !== at);
    expect(shared.toSorted((a, b) => a - b)).toEqual([
      10007, 10009, 10021, 10026, 10057, 10061, 10061, 10074, 10074, 10074,
    ]);
  });

  it("never has a status or code by which clients would try or force what stays refused", () => {
    for (const refusal of all) {
      expect([409, 500, 502, 504]).not.toContain(refusal.status);
      expect([10000, 9106]).not.toContain(codeOf(refusal));
      expect(codeOf(refusal) === 10220).toBe(refusal.kind === "secrets_changed");
      const isTemporary = refusal.retryAfterSeconds !== undefined;
      if (isTemporary) expect([429, 503]).toContain(refusal.status);
      else if (!refusal.kind.endsWith("outcome_unknown")) expect(refusal.status).toBeLessThan(429);
    }
  });

  it("is one plain sentence or more, with no link for wrangler to put into its middle", () => {
    for (const { errors } of all) {
      expect(errors[0]?.message).toMatch(/\S{2}/);
      expect(JSON.stringify(errors)).not.toMatch(
        /documentation_url|https?:\/\/|undefined|\[object/,
      );
    }
  });

  it("after an upload has its own code, and says that the version is there and how to deploy it", () => {
    for (const reason of Object.values(withCodeOfTheirOwn)) {
      const alone = toWireRefusal(reason);
      const after = toWireRefusal({ kind: "uploaded_not_deployed", versionId: "v-1", reason });
      const message = after.errors[0]?.message ?? "";
      expect({ ...after, errors: [] }).toEqual({ ...alone, errors: [] });
      expect(after.errors.map(({ code }) => code)).toEqual(alone.errors.map(({ code }) => code));
      expect(message).toMatch(
        /^The version v-1 was uploaded, but .*wrangler versions deploy v-1@100%/s,
      );
      expect(message).not.toMatch(/nothing was changed/i);
      expect(after.errors[0]?.meta).toMatchObject({ version_id: "v-1" });
    }
    const reason = { kind: "outcome_unknown", waitedMs: 1 } as const;
    expect(
      toWireRefusal({ kind: "uploaded_not_deployed", versionId: "v-1", reason }).errors[0]?.message,
    ).toMatch(/not known/);
  });

  it("of several has the first one's status and code, and tells all", () => {
    const { status, errors } = toWireRefusal(several);
    expect([status, ...errors.map(({ code }) => code)]).toEqual([404, 100146, 130020]);
  });

  it("about changed secrets is Cloudflare's text to the letter, with the names at its end", () => {
    // wrangler cuts everything up to the colon and one character, and splits the rest at commas.
    expect(toWireRefusal(EACH.secrets_changed)).toEqual({
      status: 400,
      errors: [
        {
          code: 10220,
          message:
            "A secret has changed since this version was active. If you are sure this is ok, add a ?force=true query parameter to allow the rollback. The following secrets have changed: A, B",
        },
      ],
    });
  });

  it("about a body names the Worker's size when it was an upload", () => {
    const upload = toWireRefusal({ kind: "body_too_large", bytesMax: UPLOAD_BODY_BYTES_MAX });
    expect(upload).toMatchObject({ status: 413, errors: [{ code: 10027 }] });
  });
});

it("the release says of itself what package.json says", () => {
  expect(RELEASE).toBe(packageJson.version);
});

import { describe, expect, it } from "vitest";
import { AssetTokens } from "../../src/control/asset-tokens.ts";
import { D1Links } from "../../src/control/d1-links.ts";
import { SecretBox, SecretsKeyMissing } from "../../src/control/secret-box.ts";
import { TailKeys } from "../../src/control/tail-keys.ts";
import type { VersionId, WorkerId } from "../../src/domain/ids.ts";

const key = (letter: string) => btoa(letter.repeat(32));
const K1 = `k1:${key("a")}`;
const K2 = `k2:${key("b")}`;
const K3 = `k3:${key("c")}`;
const owner = { workerId: "w" as WorkerId, versionId: "v" as VersionId };
const secrets = [
  { name: "A", text: "canary-1" },
  { name: "B", text: "ünï" },
];

describe("a change of the key", () => {
  it("wraps the data key anew and leaves the values byte for byte, twice in a row", async () => {
    const first = (await new SecretBox(K1).seal(owner, secrets)) ?? "";
    const second = (await new SecretBox(`${K2},${K1}`).rewrap(owner, first)) ?? "";
    const third = (await new SecretBox(`${K3},${K2}`).rewrap(owner, second)) ?? "";
    expect(JSON.parse(second).values).toEqual(JSON.parse(first).values);
    expect(JSON.parse(third)).toMatchObject({
      keyId: "k3",
      sealedUnder: "k1",
      values: JSON.parse(first).values,
    });
    expect(await new SecretBox(K2).open(owner, second)).toEqual(secrets);
    expect(await new SecretBox(K3).open(owner, third)).toEqual(secrets);
    await expect(new SecretBox(K1).open(owner, second)).rejects.toBeInstanceOf(SecretsKeyMissing);
    expect(await new SecretBox(`${K2},${K1}`).rewrap(owner, second)).toBeNull();
  });
  it("does not wrap anew what belongs to another version, was altered, or has no key here", async () => {
    const sealed = (await new SecretBox(K1).seal(owner, secrets)) ?? "";
    const both = new SecretBox(`${K2},${K1}`);
    await expect(both.rewrap({ ...owner, versionId: "x" as VersionId }, sealed)).rejects.toThrow();
    await expect(new SecretBox(K2).rewrap(owner, sealed)).rejects.toMatchObject({ keyId: "k1" });
    const again = (await both.rewrap(owner, sealed)) ?? "";
    await expect(both.open({ ...owner, workerId: "x" as WorkerId }, again)).rejects.toThrow();
    await expect(
      both.open(owner, JSON.stringify({ ...JSON.parse(again), sealedUnder: "k2" })),
    ).rejects.toThrow();
  });
  it("keeps tokens, links and tail addresses of the older key good, and no longer than its place in the list", async () => {
    const claims = { accountId: "a", sessionId: "s", manifestSha256: "m", expiresOn: 5_000 };
    const token = await new AssetTokens(K1).sign(claims);
    expect(await new AssetTokens(`${K2},${K1}`).open(token)).toEqual(claims);
    expect(await new AssetTokens(K2).open(token)).toBeNull();
    expect(
      await new AssetTokens(K2).open(await new AssetTokens(`${K2},${K1}`).sign(claims)),
    ).toEqual(claims);
    const link = { operation: "upload", file: "f", md5: "", until: 10 } as const;
    const signed = await new D1Links(K1).sign(link);
    expect(await new D1Links(`${K2},${K1}`).open(signed, 1)).toEqual(link);
    expect(await new D1Links(K2).open(signed, 1)).toBeNull();
    const address = await new TailKeys(K1).keyOf(owner.workerId, "t");
    expect(await new TailKeys(`${K2},${K1}`).opens(owner.workerId, "t", address)).toBe(true);
    expect(await new TailKeys(K2).opens(owner.workerId, "t", address)).toBe(false);
  });
});

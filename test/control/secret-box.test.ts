import { describe, expect, it } from "vitest";
import { SecretBox } from "../../src/control/secret-box.ts";
import type { VersionId, WorkerId } from "../../src/domain/ids.ts";

const key = (letter: string) => btoa(letter.repeat(32));
const box = new SecretBox(`k1:${key("a")}`);
const owner = { workerId: "w" as WorkerId, versionId: "v" as VersionId };
const secrets = [
  { name: "A", text: "canary-1" },
  { name: "B", text: "ünïcode \u0000 text" },
];

describe("SecretBox", () => {
  it("opens what it sealed, and what is stored shows nothing of it", async () => {
    const sealed = await box.seal(owner, secrets);
    expect(sealed).not.toContain("canary-1");
    expect(await box.open(owner, sealed)).toEqual(secrets);
  });

  it("seals nothing when there is nothing", async () => {
    expect(await box.seal(owner, [])).toBeNull();
    expect(await box.open(owner, null)).toEqual([]);
  });

  it("does not open a value that was moved to another version, Worker or name", async () => {
    const sealed = (await box.seal(owner, secrets)) ?? "";
    await expect(box.open({ ...owner, versionId: "v2" as VersionId }, sealed)).rejects.toThrow();
    await expect(box.open({ ...owner, workerId: "w2" as WorkerId }, sealed)).rejects.toThrow();
    const renamed = JSON.parse(sealed) as { values: Record<string, string> };
    renamed.values = { B: renamed.values["A"] ?? "" };
    await expect(box.open(owner, JSON.stringify(renamed))).rejects.toThrow();
  });

  it("says which key is missing", async () => {
    const sealed = await box.seal(owner, secrets);
    await expect(new SecretBox(`k2:${key("b")}`).open(owner, sealed)).rejects.toThrow(
      "sealed with key k1, this host has k2",
    );
  });

  it("refuses a key that is not 32 bytes", () => {
    expect(() => new SecretBox(`k1:${btoa("short")}`)).toThrow(/32 random bytes/);
  });
});

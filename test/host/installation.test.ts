import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openDataDirectory } from "../../src/host/data-directory.ts";
import { openInstallation } from "../../src/host/installation.ts";
import { temporaryDirectory } from "./host-process.ts";

const NO_PRESET = { accountId: undefined, rootToken: undefined };

/** An installation.json with changes, and what opening it says. */
function opened(changes: object) {
  const directory = openDataDirectory(temporaryDirectory());
  openInstallation(directory, NO_PRESET).keep();
  const file = join(directory.path, "installation.json");
  const stored = { ...(JSON.parse(readFileSync(file, "utf8")) as object), ...changes };
  const text = JSON.stringify(stored);
  writeFileSync(file, text);
  const open = () => openInstallation(directory, NO_PRESET);
  return { file, text, open };
}

describe("installation.json", () => {
  it("of a newer format is refused in one sentence, and not touched", () => {
    const { file, text, open } = opened({ format: 2, future: true });
    expect(open).toThrow(
      `${file} was written by a newer Switchback (format 2; this one knows 1). Start that one.`,
    );
    expect(readFileSync(file, "utf8")).toBe(text);
  });

  it("of a newer format is refused as such also if nothing else of it is understood", () => {
    const { open } = opened({ format: 7, account_id: undefined, secrets_key: { moved: true } });
    expect(open).toThrow(/was written by a newer Switchback \(format 7; this one knows 1\)/);
  });

  it("with fields that this build does not know keeps them", () => {
    const { file, open } = opened({ note: "of a newer build", root_token_sha256: undefined });
    open().keep();
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ note: "of a newer build" });
  });

  it.each([{ account_id: 7 }, { secrets_key: undefined }, { root_token_sha256: "short" }])(
    "that is damaged (%o) is refused",
    (changes) => {
      expect(opened(changes).open).toThrow(/is damaged\. Restore it from a backup\./);
    },
  );
});

import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { reasonOf } from "../../src/host/host-error.ts";

const thrownBy = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown.");
};

describe("the reason of an error", () => {
  it("is the system's code, which is what people search for", () => {
    expect(reasonOf(Object.assign(new Error("no space left"), { code: "ENOSPC" }))).toBe("ENOSPC");
  });

  it("is SQLite's own words, because its errors share one code", () => {
    const database = new DatabaseSync(":memory:");
    database.exec("PRAGMA max_page_count = 2; CREATE TABLE one (id)");
    const full = thrownBy(() => database.exec("CREATE TABLE two (id)"));
    expect(full).toMatchObject({ code: "ERR_SQLITE_ERROR" });
    expect(reasonOf(full)).toBe("database or disk is full");
  });

  it("is the text of anything else", () => {
    expect([reasonOf(new Error("boom")), reasonOf("boom")]).toEqual(["boom", "boom"]);
  });
});

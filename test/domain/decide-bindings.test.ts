import { describe, expect, it } from "vitest";
import { decideBindings as decide, decideKeepBindings } from "../../src/domain/decide-bindings.ts";
import {
  BINDING_NAME_CHARS_MAX,
  BINDING_VALUE_BYTES_MAX,
  BINDINGS_MAX,
  KEEP_BINDINGS_MAX,
} from "../../src/domain/limits.ts";

const refusal = (detail: string) => ({
  ok: false,
  error: { kind: "upload_invalid", detail: expect.stringContaining(detail) },
});
const decideBindings = (raw: unknown) => decide(raw, { stubs: true });
const text = (name: string, value = "") => ({ name, type: "plain_text", text: value });

describe("decideBindings", () => {
  it.each([undefined, null, []])("takes %j as none", (raw) => {
    expect(decideBindings(raw)).toEqual({
      ok: true,
      value: { bindings: [], secrets: [], inherited: [] },
    });
  });

  it("keeps types and fields that it does not know as they came", () => {
    const unknown = { name: "HD", type: "flux_capacitor", id: "1", deep: { er: [1] } };
    expect(decideBindings([unknown])).toMatchObject({ value: { bindings: [unknown] } });
  });

  it("refuses types that nothing here can run, unless the operator allows them", () => {
    const mail = [{ name: "MAIL", type: "send_email" }];
    expect(decide(mail, { stubs: false })).toEqual({
      ok: false,
      error: { kind: "binding_type_unsupported", name: "MAIL", type: "send_email" },
    });
    expect(decide(mail, { stubs: true }).ok).toBe(true);
  });

  it("splits secret texts off, so that no binding carries one", () => {
    expect(decideBindings([{ name: "KEY", type: "secret_text", text: "hush" }])).toEqual({
      ok: true,
      value: {
        bindings: [{ name: "KEY", type: "secret_text" }],
        secrets: [{ name: "KEY", text: "hush" }],
        inherited: [],
      },
    });
  });

  it("refuses keys that would be kept readable", () => {
    expect(
      decideBindings([{ name: "K", type: "secret_key", key_base64: "aHVzaA==" }]),
    ).toMatchObject(refusal("not supported yet"));
  });

  it("sets inherited bindings apart, under the name they had", () => {
    expect(
      decideBindings([
        { name: "A", type: "inherit" },
        { name: "B", type: "inherit", old_name: "C", version_id: "latest" },
      ]),
    ).toMatchObject({
      value: {
        bindings: [],
        inherited: [
          { name: "A", oldName: "A" },
          { name: "B", oldName: "C" },
        ],
      },
    });
  });

  it("refuses to inherit from a version other than the latest", () => {
    const from = (version_id: unknown) =>
      decideBindings([{ name: "A", type: "inherit", version_id }]);
    expect(from("e57ca4bc")).toEqual({
      ok: false,
      error: { kind: "inherit_version_id", versionId: "e57ca4bc" },
    });
    expect(from({ toString: 1 })).toMatchObject({ error: { kind: "inherit_version_id" } });
  });

  it.each([{ id: "db" }, { database_id: "db" }, { id: "db", database_id: "db" }])(
    "keeps both of d1's names for its id filled, given %j",
    (fields) => {
      expect(decideBindings([{ name: "DB", type: "d1", ...fields }])).toMatchObject({
        value: { bindings: [{ name: "DB", type: "d1", id: "db", database_id: "db" }] },
      });
    },
  );

  it.each([[{}], [{ name: "" }], [{ name: 1 }]])(
    "names the index of %j, which has no name",
    (raw) => {
      expect(decideBindings([text("A"), { type: "ai", ...raw }])).toEqual({
        ok: false,
        error: { kind: "binding_without_name", index: 1 },
      });
    },
  );

  it.each(["1A", "A-B", "A B", "é", "A\n", "__proto__", "__switchback", "__SWITCHBACK_ENV"])(
    "refuses the name %j",
    (name) => {
      expect(decideBindings([text(name)])).toMatchObject(refusal("binding name"));
    },
  );

  it.each([
    ["text", "bindings must be a list"],
    [{ a: 1 }, "bindings must be a list"],
    [["A"], "index 0 must be an object"],
    [[[]], "index 0 must be an object"],
    [[text("A"), text("A")], "Two bindings are named A"],
    [[text("A"), { name: "A", type: "inherit" }], "Two bindings are named A"],
    [[{ name: "A" }], "A has no type"],
    [[{ name: "A", type: 7 }], "A has no type"],
    [[{ name: "A", type: "plain_text" }], "A needs its text"],
    [[{ name: "A", type: "plain_text", text: 5 }], "A needs its text"],
    [[{ name: "A", type: "secret_text" }], "A needs its text"],
    [[{ name: "A", type: "json" }], "A needs its json"],
    [[{ name: "A", type: "service" }], "A needs its service"],
    [[{ name: "A", type: "service", service: "x", entrypoint: 1 }], "must be a string"],
    [[{ name: "A", type: "service", service: "x", entrypoint: "__switchback" }], "the gateway's"],
    [[{ name: "A", type: "d1" }], "A needs its id"],
    [[{ name: "A", type: "d1", id: "x", database_id: "y" }], "another database_id"],
    [[{ name: "A", type: "inherit", old_name: 3 }], "old_name"],
  ])("refuses bindings %# with a sentence that says what to change", (raw, detail) => {
    expect(decideBindings(raw)).toMatchObject(refusal(detail));
  });

  it("takes a json binding whose value is null, false or 0", () => {
    for (const json of [null, false, 0, ""])
      expect(decideBindings([{ name: "A", type: "json", json }]).ok).toBe(true);
  });

  it("bounds values in UTF-8 bytes, whatever carries them", () => {
    const longest = "é".repeat(BINDING_VALUE_BYTES_MAX / 2);
    const tooLarge = {
      ok: false,
      error: { kind: "binding_value_too_large", name: "A", bytesMax: BINDING_VALUE_BYTES_MAX },
    };
    for (const type of ["plain_text", "secret_text"]) {
      expect(decideBindings([{ name: "A", type, text: longest }]).ok).toBe(true);
      expect(decideBindings([{ name: "A", type, text: `${longest}a` }])).toEqual(tooLarge);
    }
    const quoted = longest.slice(1);
    expect(decideBindings([{ name: "A", type: "json", json: quoted }]).ok).toBe(true);
    expect(decideBindings([{ name: "A", type: "json", json: `${quoted}a` }])).toEqual(tooLarge);
  });

  it("bounds the number of bindings and the length of names", () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => text(`A${index}`));
    expect(decideBindings(many(BINDINGS_MAX)).ok).toBe(true);
    expect(decideBindings(many(BINDINGS_MAX + 1))).toEqual({
      ok: false,
      error: { kind: "too_many_bindings", count: BINDINGS_MAX + 1, max: BINDINGS_MAX },
    });
    expect(decideBindings([text("A".repeat(BINDING_NAME_CHARS_MAX))]).ok).toBe(true);
    expect(decideBindings([text("A".repeat(BINDING_NAME_CHARS_MAX + 1))])).toMatchObject(
      refusal("129 characters"),
    );
  });
});

describe("decideKeepBindings", () => {
  it("takes binding types, each once", () => {
    expect(decideKeepBindings(["secret_text", "secret_key", "secret_text"])).toEqual({
      ok: true,
      value: ["secret_text", "secret_key"],
    });
    expect(decideKeepBindings(undefined)).toEqual({ ok: true, value: [] });
  });

  it.each([["secret_text"], [[1]], [{}]])("refuses %j", (raw) => {
    expect(decideKeepBindings(raw)).toMatchObject(refusal("keep_bindings"));
  });

  it("bounds their number", () => {
    const list = (length: number) => Array.from({ length }, () => "ai");
    expect(decideKeepBindings(list(KEEP_BINDINGS_MAX)).ok).toBe(true);
    expect(decideKeepBindings(list(KEEP_BINDINGS_MAX + 1)).ok).toBe(false);
  });
});

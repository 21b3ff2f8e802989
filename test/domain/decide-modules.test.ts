import { describe, expect, it } from "vitest";
import { decideModules } from "../../src/domain/decide-modules.ts";
import { VERSION_MODULES_BYTES_MAX } from "../../src/domain/limits.ts";
import type { UploadedModule } from "../../src/domain/upload.ts";

const ESM = "application/javascript+module";
const part = (name: string, contentType = ESM, size = 1): UploadedModule => ({
  name,
  contentType,
  bytes: new Uint8Array(size),
});
const decide = (
  modules: UploadedModule[],
  metadata: Record<string, unknown> = { main_module: "w.js" },
) => decideModules({ metadata, modules });
const refusal = (detail: string) => ({
  ok: false,
  error: { kind: "upload_invalid", detail: expect.stringContaining(detail) },
});

describe("decideModules", () => {
  it.each([
    [ESM, "esm"],
    ["application/javascript", "cjs"],
    ["application/wasm", "wasm"],
    ["application/octet-stream", "data"],
    ["text/plain", "text"],
    ["application/json", "json"],
    ["text/x-python", "python"],
  ])("reads %s as %s, whatever the name says", (contentType, type) => {
    expect(decide([part("w.js"), part("x.txt", contentType)])).toMatchObject({
      value: { modules: [{ type: "esm" }, { name: "x.txt", type }] },
    });
  });

  it.each([
    ["a.mjs", "esm"],
    ["a.js", "esm"],
    ["a.cjs", "cjs"],
    ["a.wasm", "wasm"],
    ["a.JSON", "json"],
    ["a.html", "text"],
    ["a.bin", "data"],
  ])("falls back to the name %s when the content type tells nothing", (name, type) => {
    for (const contentType of ["", "text/html", "multipart/mixed"])
      expect(decide([part("w.js"), part(name, contentType)])).toMatchObject({
        value: { modules: [{}, { type }] },
      });
  });

  it("refuses a part of unknown kind by name and says what is known", () => {
    expect(decide([part("w.js"), part("x.dat", "image/png")])).toMatchObject(
      refusal('The part x.dat has the content type "image/png"'),
    );
    expect(decide([part("w.js"), part("x", "")])).toMatchObject(
      refusal("The part x has no Content-Type"),
    );
  });

  it("takes the leading ./ off modules and the main module's name alike", () => {
    expect(decide([part("./w.js")], { main_module: "w.js" })).toMatchObject({
      value: { mainModule: "w.js", modules: [{ name: "w.js" }] },
    });
    expect(decide([part("w.js")], { main_module: "./w.js" })).toMatchObject({
      value: { mainModule: "w.js" },
    });
  });

  it("leaves source maps out", () => {
    const maps = [part("w.js.map", "application/source-map"), part("../x.js.map", "text/plain")];
    expect(decide([part("w.js"), ...maps])).toMatchObject({
      ok: true,
      value: { modules: [{ name: "w.js" }] },
    });
    expect(decide(maps)).toMatchObject(refusal("no modules"));
  });

  it("takes a main module named like the Worker, as a secret for a new Worker brings it", () => {
    expect(decide([part("brand-new")], { main_module: "brand-new" })).toMatchObject({
      ok: true,
      value: { syntax: "modules", mainModule: "brand-new", modules: [{ type: "esm" }] },
    });
  });

  it("takes service-worker syntax as one script", () => {
    const script = part("index.js", "application/javascript");
    expect(decide([script], { body_part: "index.js" })).toMatchObject({
      ok: true,
      value: { syntax: "service-worker", mainModule: "index.js" },
    });
    expect(decide([part("index.js")], { body_part: "index.js" })).toMatchObject(
      refusal("is no script"),
    );
  });

  it.each([
    [[], { main_module: "w.js" }, "no modules"],
    [[part("w.js")], {}, "no main_module"],
    [[part("w.js")], { main_module: null }, "no main_module"],
    [[part("w.js")], { main_module: "" }, "must be the name of a module"],
    [[part("w.js")], { main_module: 1 }, "must be the name of a module"],
    [[part("w.js")], { main_module: "x.js" }, "is not among the uploaded modules (w.js)"],
    [[part("w.js")], { main_module: "w.js", body_part: "w.js" }, "both main_module and body_part"],
    [
      [part("w.js", "application/javascript")],
      { main_module: "w.js" },
      "is no ES module (it came as cjs)",
    ],
    [[part("w.js"), part("./w.js")], { main_module: "w.js" }, "Two modules are named w.js"],
    [[part("w.js"), part("W.js")], { main_module: "w.js" }, "upper and lower case alone"],
    [[part("../w.js")], { main_module: "../w.js" }, "is not allowed"],
  ])("refuses modules %# with a sentence that says what to change", (modules, metadata, detail) => {
    expect(decide(modules, metadata)).toMatchObject(refusal(detail));
  });

  it("takes modules of exactly the size limit together, maps not counted, and no byte more", () => {
    const rest = part("r.bin", "application/octet-stream", VERSION_MODULES_BYTES_MAX - 1);
    const map = part("w.js.map", "application/source-map", 10);
    expect(decide([part("w.js"), rest, map]).ok).toBe(true);
    expect(decide([part("w.js", ESM, 2), rest])).toEqual({
      ok: false,
      error: {
        kind: "upload_too_large",
        bytes: VERSION_MODULES_BYTES_MAX + 1,
        bytesMax: VERSION_MODULES_BYTES_MAX,
      },
    });
  });
});

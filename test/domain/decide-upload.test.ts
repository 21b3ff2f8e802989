import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideUpload } from "../../src/domain/decide-upload.ts";
import type { Upload } from "../../src/domain/upload.ts";

const main = {
  name: "w.js",
  contentType: "application/javascript+module",
  bytes: new TextEncoder().encode("export default {}"),
};
const upload = (metadata: Record<string, unknown> = {}): Upload => ({
  metadata: { main_module: "w.js", ...metadata },
  modules: [main],
});
const SCRIPT = { path: "script", workerName: "shop", bindingStubs: true } as const;
const VERSION = { path: "version", workerName: "shop", bindingStubs: true } as const;

describe("decideUpload", () => {
  it("makes a draft of the smallest upload", () => {
    expect(decideUpload(upload(), VERSION)).toEqual({
      ok: true,
      value: {
        syntax: "modules",
        mainModule: "w.js",
        modules: [{ name: "w.js", type: "esm", bytes: main.bytes }],
        bindings: [],
        secrets: [],
        inherited: [],
        keepBindingTypes: [],
        compatibilityDate: "2021-11-02",
        compatibilityFlags: [],
        annotations: { other: {} },
        settings: {},
        notices: [],
      },
    });
  });

  it("passes on the notice of a message that was cut", () => {
    const metadata = { annotations: { "workers/message": "a".repeat(2_000) } };
    expect(decideUpload(upload(metadata), VERSION)).toMatchObject({
      value: { notices: [expect.stringContaining("was cut")] },
    });
  });

  it("keeps migrations of a script and refuses them in a version", () => {
    const migrations = { new_tag: "v1", steps: [{ new_sqlite_classes: ["Counter"] }] };
    expect(decideUpload(upload({ migrations }), SCRIPT)).toMatchObject({ value: { migrations } });
    expect(decideUpload(upload({ migrations }), VERSION)).toEqual({
      ok: false,
      error: { kind: "migration_in_version" },
    });
    expect(decideUpload(upload({ migrations: null }), VERSION).ok).toBe(true);
    expect(decideUpload(upload({ migrations: [] }), SCRIPT)).toMatchObject({
      error: { kind: "upload_invalid" },
    });
  });

  it("takes service-worker syntax as a script and refuses it as a version", () => {
    const serviceWorker: Upload = {
      metadata: { body_part: "w.js" },
      modules: [{ ...main, contentType: "application/javascript" }],
    };
    expect(decideUpload(serviceWorker, SCRIPT)).toMatchObject({
      value: { syntax: "service-worker" },
    });
    expect(decideUpload(serviceWorker, VERSION)).toEqual({
      ok: false,
      error: { kind: "service_worker_version" },
    });
  });

  it.each([
    [{ assets: {} }, "have no jwt"],
    [{ assets: { jwt: 1 } }, "must be the token"],
    [{ assets: { jwt: "x", config: 1 } }, "must be an object"],
    [{ assets: { jwt: "x" }, main_module: null }, "has no main_module"],
    [{ containers: [{ class_name: "X" }] }, "Containers are not supported"],
  ])("refuses %j rather than run a Worker without it", (metadata, detail) => {
    expect(decideUpload(upload(metadata), SCRIPT)).toMatchObject({
      ok: false,
      error: { kind: "upload_invalid", detail: expect.stringContaining(detail) },
    });
  });

  it("ignores metadata that it does not know", () => {
    const unknown = { code_update_strategy: { mode: "deferred" }, containers: [], tags: ["x"] };
    expect(decideUpload(upload(unknown), SCRIPT)).toEqual(decideUpload(upload(), SCRIPT));
  });

  it("answers any metadata and any parts with a draft or a refusal, and never throws", () => {
    const field = fc.constantFrom(
      "main_module",
      "body_part",
      "bindings",
      "keep_bindings",
      "compatibility_date",
      "compatibility_flags",
      "annotations",
      "limits",
      "observability",
      "migrations",
      "assets",
    );
    const binding = fc.dictionary(
      fc.constantFrom("name", "type", "text", "json", "service", "entrypoint", "id", "version_id"),
      fc.oneof(
        fc.jsonValue(),
        fc.constantFrom("A", "plain_text", "json", "secret_text", "service", "inherit", "d1"),
      ),
    );
    const value = fc.oneof(
      fc.jsonValue(),
      fc.constant("w.js"),
      fc.array(binding),
      fc.dictionary(fc.constantFrom("workers/message", "workers/tag", "workers/x"), fc.jsonValue()),
    );
    const parts = fc.array(
      fc.record({
        name: fc.oneof(fc.string(), fc.constantFrom("w.js", "a.map", "./w.js")),
        contentType: fc.oneof(fc.string(), fc.constantFrom(main.contentType, "text/plain")),
        bytes: fc.uint8Array({ maxLength: 8 }),
      }),
      { maxLength: 3 },
    );
    fc.assert(
      fc.property(
        fc.oneof(fc.dictionary(field, value), fc.dictionary(fc.string(), fc.jsonValue())),
        parts,
        fc.constantFrom(SCRIPT, VERSION),
        (metadata, modules, options) => {
          const decided = decideUpload({ metadata, modules }, options);
          if (decided.ok) expect(decided.value.modules.length).toBeGreaterThan(0);
          else expect(decided.error.kind).not.toBe("");
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

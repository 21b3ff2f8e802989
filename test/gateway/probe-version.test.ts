import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import type { LoadableVersion } from "../../src/domain/version.ts";
import { probeVersion } from "../../src/gateway/probe-version.ts";
import { binding, loadable, textModule } from "./fake-control-plane.ts";

async function probe(source: string, fields: Partial<LoadableVersion> = {}) {
  const work: Promise<unknown>[] = [];
  const scope = {
    waitUntil: (promise: Promise<unknown>) => void work.push(promise),
    serviceBinding: () => null as unknown as Fetcher,
    binding: () => null as unknown as Fetcher,
  };
  const result = await probeVersion(env.LOADER, loadable(source, fields), scope);
  await Promise.all(work);
  return result;
}

describe("the probe of a version that starts", () => {
  it.each([
    [
      "an object",
      `export default { fetch() {}, scheduled() {}, helper() {} };`,
      ["fetch", "scheduled"],
    ],
    [
      "a class",
      `import { WorkerEntrypoint } from "cloudflare:workers";
       export default class extends WorkerEntrypoint { fetch() {} hello() {} get no() { return 1; } };`,
      ["fetch", "hello"],
    ],
    [
      "an object with inherited handlers",
      `class App { fetch() {} } export default new App();`,
      ["fetch"],
    ],
    ["nothing", `export class A {}`, []],
  ])("tells the handlers of %s", async (_, source, handlers) => {
    expect(await probe(source)).toMatchObject({ ok: true, handlers });
  });

  it("tells the named exports", async () => {
    const result = await probe(
      `import { DurableObject } from "cloudflare:workers";
       export class Counter extends DurableObject {} export const other = { fetch() {}, x: 1 };
       export default { fetch() {} };`,
    );
    expect(result).toMatchObject({
      namedHandlers: [
        { name: "Counter", handlers: ["class"] },
        { name: "other", handlers: ["fetch"] },
      ],
    });
  });

  it("tells when there is nothing that could be called", async () => {
    expect(await probe("")).toMatchObject({ ok: true, handlers: [], namedHandlers: [] });
  });

  it("tells the events of a service worker", async () => {
    const result = await probe("", {
      syntax: "service-worker",
      mainModule: "script",
      modules: [
        textModule(
          "script",
          `addEventListener("fetch", () => {}); addEventListener("scheduled", () => {});`,
        ),
      ],
    });
    expect(result).toMatchObject({ ok: true, handlers: ["fetch", "scheduled"] });
  });

  it("measures the start", async () => {
    const result = await probe(`export default { fetch() {} };`);
    expect(result.ok && Number.isInteger(result.startupTimeMs) && result.startupTimeMs >= 0).toBe(
      true,
    );
  });

  it("gives the version its bindings", async () => {
    const source = `import { env } from "cloudflare:workers"; if (env.A !== "a") throw new Error("no A");
      export default { fetch() {} };`;
    expect(
      await probe(source, { bindings: [binding("A", "plain_text", { text: "a" })] }),
    ).toMatchObject({
      ok: true,
    });
  });
});

describe("the probe of a version that does not start", () => {
  it.each([
    ["throws", `throw new Error("boom");`, "Uncaught Error: boom\n  at index.js:1:7"],
    [
      "is not JavaScript",
      `export default { fetch( {`,
      "Uncaught SyntaxError: Unexpected end of input",
    ],
    ["imports what is not there", `import "./no.js";`, `No such module "no.js"`],
    ["waits for ever", `await new Promise(() => {});`, "Top-level await in module is unsettled"],
    ["asks the network", `await fetch("http://example.com/");`, "not allowed within global scope"],
    [
      "exports what is no handler",
      `export const n = 1; export default {};`,
      "Incorrect type for map entry 'n'",
    ],
  ])("says what the runtime said when it %s", async (_, source, message) => {
    const result = await probe(source);
    expect(result).toEqual({ ok: false, message: expect.stringContaining(message) as string });
    expect(!result.ok && result.message).not.toContain("Failed to start Worker");
  });

  it.each([
    ["an unknown flag", { compatibilityFlags: ["nope"] }, "No such compatibility flag: nope"],
    [
      "a date in the future",
      { compatibilityDate: "2099-01-01" },
      `requires compatibility date "2099-01-01"`,
    ],
    [
      "a broken JSON module",
      { modules: [textModule("index.js", ""), textModule("a.json", "{", "json")] },
      `Module "a.json" is not JSON`,
    ],
    ["a Python main module", { modules: [textModule("index.js", "", "python")] }, "Python"],
  ] as const)("names %s", async (_, fields, message) => {
    const result = await probe(
      `export default { fetch() {} };`,
      fields as Partial<LoadableVersion>,
    );
    expect(result).toEqual({ ok: false, message: expect.stringContaining(message) as string });
  });
});

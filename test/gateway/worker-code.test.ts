import { describe, expect, it } from "vitest";
import type { LoadableVersion } from "../../src/domain/version.ts";
import { binding, fakeSwitchback } from "./fake-control-plane.ts";

/** What a version with these fields answers to one request. */
async function run(source: string, fields: Partial<LoadableVersion> = {}): Promise<string> {
  const { fetch, worker, version, deploy } = fakeSwitchback();
  const workerId = worker("web");
  deploy(workerId, [version(workerId, source, fields), 100]);
  const response = await fetch("http://web.workers.example/");
  return response.status === 200
    ? response.text()
    : Promise.reject(new Error(`${response.headers.get("x-switchback-error")}`));
}
const trying = (expression: string): string => `export default { async fetch(request, env) {
  try { return new Response(String(await (${expression}))); } catch (error) { return new Response("threw " + error.message); }
} };`;

const bindings = [
  binding("TEXT", "plain_text", { text: "hello" }),
  binding("JSON", "json", { json: { a: [1, null] } }),
  binding("KEY", "secret_text"),
  binding("META", "version_metadata"),
  binding("COUNTER", "workflow", { workflow_name: "counter" }),
];
const fields: Partial<LoadableVersion> = {
  bindings,
  secrets: [{ name: "KEY", text: "s3cret" }],
  tag: "v1",
};
const UNAVAILABLE = `Binding "COUNTER" (workflow) cannot be used: this Switchback stores it but does not run it.`;

describe("the environment of a version", () => {
  it("has text, JSON, secrets and the version's metadata", async () => {
    const id = crypto.randomUUID();
    const text = await run(trying(`JSON.stringify([env.TEXT, env.JSON, env.KEY, env.META])`), {
      ...fields,
      id: id as never,
    });
    expect(JSON.parse(text)).toEqual([
      "hello",
      { a: [1, null] },
      "s3cret",
      { id, tag: "v1", timestamp: "2023-11-14T22:13:20.000Z" },
    ]);
  });

  it("is there before the version's own code runs, with nothing of the gateway's in it", async () => {
    const names = `["COUNTER", "JSON", "KEY", "META", "TEXT"]`;
    const source = `import { env } from "cloudflare:workers";
      const early = JSON.stringify(Object.keys(env).sort());
      export default { fetch: (request, own) => new Response(early === ${JSON.stringify(names.replaceAll(", ", ","))}
        && JSON.stringify(Object.keys(own).sort()) === early ? "same" : early) }`;
    expect(await run(source, fields)).toBe("same");
  });

  it.each(["2021-11-02", "2022-03-21", "2024-09-23", "2026-09-01"])(
    "is the same at compatibility date %s",
    async (compatibilityDate) => {
      const text = await run(trying(`env.TEXT + env.KEY + "__switchback" in env`), {
        ...fields,
        compatibilityDate,
      });
      expect(text).toBe("false");
    },
  );

  it("is the same when the version asks for no importable env", async () => {
    const compatibilityFlags = ["disallow_importable_env"];
    const text = await run(trying(`Object.keys(env).sort().join()`), {
      ...fields,
      compatibilityFlags,
    });
    expect(text).toBe("COUNTER,JSON,KEY,META,TEXT");
  });
});

describe("a binding that is stored but not run", () => {
  it.each([
    `env.COUNTER.idFromName("a")`,
    `env.COUNTER.get`,
    `env.COUNTER()`,
    `new env.COUNTER()`,
    `env.COUNTER.x = 1`,
    `env.COUNTER.fetch("http://x/")`,
  ])("names itself and its type: %s", async (expression) => {
    expect(await run(trying(expression), fields)).toBe(`threw ${UNAVAILABLE}`);
  });

  it.each([
    `typeof env.COUNTER`,
    `Object.keys(env).length`,
    `JSON.stringify(env).length`,
    `(await Promise.resolve(env.COUNTER), "awaited")`,
    `(console.log(env, env.COUNTER), "printed")`,
  ])("does not throw when it is only looked at: %s", async (expression) => {
    expect(await run(trying(expression), fields)).not.toContain("threw");
  });
});

describe("service-worker syntax", () => {
  const serviceWorker = { ...fields, syntax: "service-worker" as const, mainModule: "script" };
  const script = (source: string): Partial<LoadableVersion> => ({
    ...serviceWorker,
    modules: [{ name: "script", type: "esm", bytes: new TextEncoder().encode(source) }],
  });

  it("runs as a script, with its bindings as globals", async () => {
    const source = `sloppy = "sloppy"; var seen = TEXT + KEY;
      addEventListener("fetch", (event) => event.respondWith(new Response(seen + sloppy + JSON.a.length)));`;
    expect(await run("", script(source))).toBe("hellos3cretsloppy2");
  });

  it("names a binding that does not run", async () => {
    const source = `addEventListener("fetch", (event) => {
      let text; try { COUNTER.get("a"); } catch (error) { text = error.message; }
      event.respondWith(new Response(text)); });`;
    expect(await run("", script(source))).toBe(UNAVAILABLE);
  });
});

it("a version has no network but the one it is given", async () => {
  expect(await run(trying(`fetch("http://127.0.0.1/")`))).toContain(
    "not permitted to access the internet",
  );
});

it("a version that exports no handler for everybody still runs its named entrypoints' module", async () => {
  await expect(run(`export class Named {}`)).rejects.toThrow("worker_threw");
});

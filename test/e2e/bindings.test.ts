/** What a version binds is what its code finds in `env`. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

describe("values", () => {
  test("text and JSON variables and the version's own metadata are in env, and nothing else", async () => {
    const project = new Project(
      host,
      "values",
      `export default { fetch: (request, env) => Response.json(env) };`,
      `[vars]\nTEXT = "plain"\nLIST = [1, { a = "b" }]\n[version_metadata]\nbinding = "META"`,
    );
    const version = await project.deploy(
      `export default { fetch: (request, env) => Response.json(env) };`,
      "--tag",
      "v1",
    );
    const env = JSON.parse((await host.visit(project.workersHost)).body);
    expect(env).toEqual({
      TEXT: "plain",
      LIST: [1, { a: "b" }],
      META: { id: version, tag: "v1", timestamp: expect.any(String) },
    });
    expect(new Date(env.META.timestamp).getTime()).not.toBeNaN();
  });
});

const callee = (text: string) => `import { WorkerEntrypoint } from "cloudflare:workers";
export class Prices extends WorkerEntrypoint {
  async of(item, { quantity }) { return { item, quantity, from: ${JSON.stringify(text)} }; }
}
export default {
  async fetch(request) { return new Response(${JSON.stringify(text)} + " " + request.method + " " + (await request.text())); },
};
`;

const CALLER = `export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname === "/rpc") return Response.json(await env.PRICES.of("tea", { quantity: 3 }));
    return env.SHOP.fetch("https://shop.internal/x", { method: "POST", body: "hello" });
  },
};
`;

describe("service bindings", () => {
  let target: Project;
  let caller: Project;
  let first = "";

  beforeAll(async () => {
    target = new Project(host, "callee", callee("one"));
    first = await target.deploy(callee("one"));
    caller = new Project(
      host,
      "caller",
      CALLER,
      `services = [{ binding = "SHOP", service = "callee" }, { binding = "PRICES", service = "callee", entrypoint = "Prices" }]`,
    );
    await caller.deploy(CALLER);
  });

  const viaFetch = async () => (await host.visit("caller.localhost")).body;
  const viaRpc = async () => JSON.parse((await host.visit("caller.localhost", "/rpc")).body);

  test("fetch reaches the other Worker with method and body", async () => {
    expect(await viaFetch()).toBe("one POST hello");
  });

  test("RPC reaches the named entrypoint with arguments and result", async () => {
    expect(await viaRpc()).toEqual({ item: "tea", quantity: 3, from: "one" });
  });

  test("both follow the target's deployment at once, and its rollback", async () => {
    await target.deploy(callee("two"));
    expect(await viaFetch()).toBe("two POST hello");
    expect((await viaRpc()).from).toBe("two");
    await target.wrangler("rollback", first);
    expect(await viaFetch()).toBe("one POST hello");
    expect((await viaRpc()).from).toBe("one");
  });

  test("a binding to a Worker that is not there is refused, and nothing is deployed", async () => {
    const project = new Project(
      host,
      "orphan",
      CALLER,
      `services = [{ binding = "SHOP", service = "nobody" }]`,
    );
    const run = await project.tryWrangler("deploy");
    expect(run.code).toBe(1);
    expect(run.output).toContain("nobody");
    expect((await host.visit(project.workersHost)).status).toBe(404);
    expect((await host.api("A/workers/services/orphan")).status).toBe(404);
  });

  test("a Worker that others bind is not deleted without force", async () => {
    const answer = await host.api("A/workers/scripts/callee", { method: "DELETE" });
    expect(answer.success).toBe(false);
    expect(JSON.stringify(answer.errors)).toContain("caller");
    expect(await viaFetch()).toBe("one POST hello");
  });
});

describe("a binding that cannot work", () => {
  const refused = async (name: string, config: string) => {
    const project = new Project(host, name, "export default { fetch() {} };", config);
    const run = await project.tryWrangler("deploy");
    expect(run.code).toBe(1);
    expect((await host.api(`A/workers/scripts/${name}/versions`)).status).toBe(404);
    return run.output;
  };

  test("is refused at upload, not found out at night: a type that nothing here can run", async () => {
    const text = await refused("mailing", `[[send_email]]\nname = "MAIL"`);
    expect(text).toMatch(/binding MAIL is of the type send_email/);
    expect(text).toContain("[code: 130051]");
  });

  test("is refused at upload: a resource that does not exist", async () => {
    const id = "0f2ac74b498b48028cb68387c421e279";
    const text = await refused("cached", `kv_namespaces = [{ binding = "CACHE", id = "${id}" }]`);
    expect(text).toContain(`The binding CACHE names the KV namespace "${id}"`);
    expect(text).toContain("[code: 10041]");
  });
});

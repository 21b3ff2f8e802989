/** Whatever a client sends gets a sentence and a status below 500, and changes nothing. */
import { gzipSync } from "node:zlib";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { stateOf, versionsOf } from "./support/api-state.ts";
import { Project, says } from "./support/project.ts";
import { rawRequest } from "./support/raw-request.ts";
import { ROOT_TOKEN, TestHost, type ApiAnswer } from "./support/test-host.ts";

const host = new TestHost();
let version = "";
let zero = "";
let before: unknown;

beforeAll(async () => {
  await host.start();
  const project = new Project(host, "solid", says("solid"), "workers_dev = true");
  version = await project.deploy(says("solid"));
  zero = await project.upload(says("zero"));
  await project.wrangler("versions", "deploy", `${version}@100`, `${zero}@0`, "-y");
  before = await stateOf(host, "solid");
});
afterEach(async () => {
  expect(await stateOf(host, "solid")).toEqual(before);
  expect((await host.visit("solid.localhost")).body).toBe("solid");
});
afterAll(() => host.dispose());

const VERSIONS = "A/workers/scripts/solid/versions";
const DEPLOYMENTS = "A/workers/scripts/solid/deployments";
const ESM = "application/javascript+module";

function expectRefusal(answer: ApiAnswer, status: number, code: number | null = null): void {
  expect(answer.status, JSON.stringify(answer.errors)).toBe(status);
  expect(answer.success).toBe(false);
  if (code !== null) expect(answer.errors[0]?.code).toBe(code);
  expect(answer.errors[0]?.message).toMatch(/\S/);
  expect(answer.headers.get("x-request-id")).toMatch(/\S/);
}

function upload(
  modules: readonly (readonly [name: string, text: string])[],
  metadata: unknown = { main_module: "worker.js" },
): Promise<ApiAnswer> {
  const form = new FormData();
  form.set("metadata", typeof metadata === "string" ? metadata : JSON.stringify(metadata));
  for (const [name, text] of modules) form.append(name, new File([text], name, { type: ESM }));
  return host.api(VERSIONS, { method: "POST", body: form });
}

describe("authentication", () => {
  test.each([
    ["a wrong token", `Bearer ${ROOT_TOKEN}x`],
    ["an empty token", "Bearer "],
    ["another scheme", `Basic ${ROOT_TOKEN}`],
    ["a very long token", `Bearer ${"a".repeat(8_000)}`],
  ])("%s is refused alike", async (_, authorization) => {
    const headers = { authorization };
    expectRefusal(await host.api(DEPLOYMENTS, { headers }), 403, 10000);
    expectRefusal(await host.api("A/workers/scripts/nobody/deployments", { headers }), 403, 10000);
    expectRefusal(await host.api("/user/tokens/verify", { headers }), 401, 1000);
  });

  test("another account is refused as a wrong token is", async () => {
    expectRefusal(await host.api("/accounts/abc/workers/scripts"), 403, 10000);
  });
});

describe("JSON bodies", () => {
  test.each([
    ["no JSON", "{"],
    ["nothing", ""],
    ["a list", "[]"],
    ["null", "null"],
    ["a version that is no object", '{"strategy":"percentage","versions":[1]}'],
    [
      "a share that is no number",
      `{"strategy":"percentage","versions":[{"version_id":"x","percentage":"1"}]}`,
    ],
    ["nesting deeper than any stack", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
    ["a poisoned prototype", `{"__proto__":{"versions":[]},"constructor":1}`],
  ])("%s", async (_, body) => {
    expectRefusal(await host.api(DEPLOYMENTS, { method: "POST", body }), 400);
  });

  test("shares that do not sum to 100", async () => {
    const versions = [
      { version_id: version, percentage: 50 },
      { version_id: zero, percentage: 49 },
    ];
    expectRefusal(
      await host.send("POST", DEPLOYMENTS, { strategy: "percentage", versions }),
      400,
      130024,
    );
  });

  test("more than the size allowed", async () => {
    const body = JSON.stringify({ filler: "x".repeat(1024 * 1024) });
    expectRefusal(await host.api(DEPLOYMENTS, { method: "POST", body }), 413);
  });
});

describe("uploads", () => {
  test.each([
    ["no boundary", "multipart/form-data", "x"],
    ["a body that is no multipart", "multipart/form-data; boundary=b", "hello"],
    [
      "a body cut short",
      "multipart/form-data; boundary=b",
      "--b\r\nContent-Disposition: form-data; name=metadata\r\n\r\n{",
    ],
    ["an empty body", "multipart/form-data; boundary=b", ""],
    ["JSON", "application/json", "{}"],
  ])("%s", async (_, type, body) => {
    expectRefusal(
      await host.api(VERSIONS, { method: "POST", body, headers: { "content-type": type } }),
      400,
    );
  });

  test("a main module that is not there", async () => {
    const answer = await upload([["other.js", says("x")]]);
    expectRefusal(answer, 400, 10021);
    expect(answer.errors[0]?.message).toContain("worker.js");
  });

  test.each([
    "../x.js",
    "/etc/passwd",
    "a/../b.js",
    "__proto__",
    "a\u0000b.js",
    "__switchback_main.js",
  ])("a module named %j", async (name) => {
    expectRefusal(
      await upload([
        ["worker.js", says("x")],
        [name, says("y")],
      ]),
      400,
    );
  });

  test("metadata that is no JSON", async () => {
    expectRefusal(await upload([["worker.js", says("x")]], "{"), 400);
  });

  test("more parts than allowed", async () => {
    const modules = Array.from({ length: 1_001 }, (_, at) => [`m${at}.js`, ""] as const);
    expectRefusal(await upload([["worker.js", says("x")], ...modules]), 400);
  });

  test("a Worker larger than allowed, though its client sends all of it before it listens", async () => {
    const large = new File([new Uint8Array(69 * 1024 * 1024)], "data.bin", {
      type: "application/octet-stream",
    });
    const form = new FormData();
    form.set("metadata", JSON.stringify({ main_module: "worker.js" }));
    form.append("data.bin", large);
    expectRefusal(await host.api(VERSIONS, { method: "POST", body: form }), 413, 10027);
    const headers = { authorization: "Bearer wrong" };
    expectRefusal(await host.api(VERSIONS, { method: "POST", body: form, headers }), 403, 10000);
  });

  test("a gzip bomb", async () => {
    const answer = await host.api(VERSIONS, {
      method: "POST",
      body: gzipSync(new Uint8Array(200 * 1024 * 1024)),
      headers: {
        "content-type": "multipart/form-data; boundary=b",
        "content-encoding": "gzip",
      },
    });
    expectRefusal(answer, 400);
    expect(answer.errors[0]?.message).toContain("inflates");
  });

  test("code that never finishes starting", async () => {
    expectRefusal(
      await upload([["worker.js", `await new Promise(() => {});\n${says("x")}`]]),
      400,
      10021,
    );
  });

  test("nothing of them became a version", async () => {
    expect((await versionsOf(host, "solid")).map(({ id }) => id)).toEqual([zero, version]);
  });
});

describe("paths and names", () => {
  test.each([
    ["GET", "/nothing/here", 404],
    ["GET", "A/workers/scripts/no such name/versions", 404],
    ["GET", "A/workers/scripts/solid/versions/not-an-id", 404],
    ["GET", `A/workers/scripts/solid/versions?page=-1`, 400],
    ["GET", `A/workers/scripts/solid/deployments?per_page=many`, 400],
    ["DELETE", `A/workers/scripts/solid/deployments/x`, 404],
    ["PATCH", "A/workers/scripts/solid/deployments", 405],
    ["PUT", "A/workers/scripts/Bad Name!", 400],
    ["GET", `A/workers/scripts/${"x".repeat(200)}/versions`, 404],
    ["GET", "A/workers/scripts/%00/versions", 404],
    ["GET", "A/workers/scripts/%E0%A4%A/versions", 404],
  ])("%s %s", async (method, path, status) => {
    const answer = await host.api(path, { method });
    expect([status, 400]).toContain(answer.status);
    expect(answer.success).toBe(false);
  });

  test("a route or domain on a host of the control plane", async () => {
    expectRefusal(
      await host.send("PUT", "A/workers/domains", { hostname: "localhost", service: "solid" }),
      400,
    );
    const routes = await host.send("PUT", "A/workers/scripts/solid/routes", [
      { pattern: "localhost/*" },
    ]);
    expectRefusal(routes, 400);
    expect((await host.visit("localhost", "/healthz")).status).toBe(200);
  });
});

describe("the host name decides alone who answers", () => {
  const authorization = `Bearer ${ROOT_TOKEN}`;

  test.each(["evil.localhost", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example"])(
    "control paths on %s do not reach the API",
    async (name) => {
      const answer = await host.visit(name, {
        path: "/client/v4/user/tokens/verify",
        headers: { authorization },
      });
      expect(answer.status).toBe(404);
      expect(answer.headers["x-switchback-error"]).toBe("no_such_host");
      expect(answer.body).not.toContain("success");
    },
  );

  test.each([
    { "x-forwarded-host": "localhost" },
    { forwarded: "host=localhost" },
    { "x-original-host": "localhost", "x-host": "localhost" },
  ])("%j does not turn a Worker's host into the API's", async (headers) => {
    const answer = await host.visit("solid.localhost", {
      path: "/client/v4/user/tokens/verify",
      headers: { authorization, ...headers },
    });
    expect(answer.body).toBe("solid");
  });

  test.each(["localhost", "LOCALHOST", "127.0.0.1"])(
    "no path on %s reaches a Worker",
    async (name) => {
      for (const path of ["/", "/solid", "/solid.localhost/", "//solid.localhost/"]) {
        const answer = await host.visit(name, {
          path,
          headers: { "x-forwarded-host": "solid.localhost" },
        });
        expect(answer.body).not.toBe("solid");
        expect(answer.headers["x-switchback-version"]).toBeUndefined();
      }
    },
  );

  test("a Worker's host in other spellings is the same host", async () => {
    for (const name of ["SOLID.localhost", "solid.localhost."]) {
      expect((await host.visit(name)).body, name).toBe("solid");
    }
  });

  const raw = (requestLine: string, ...headers: string[]) =>
    rawRequest(
      host.port,
      [
        requestLine,
        ...headers,
        `Authorization: ${authorization}`,
        "Connection: close",
        "",
        "",
      ].join("\r\n"),
    );
  const CONTROL = "GET /client/v4/user/tokens/verify HTTP/1.1";

  test.each([
    "solid.localhost:80@localhost",
    "localhost/x",
    "localhost#solid.localhost",
    "localhost?solid.localhost",
    "loc\talhost",
    "%6cocalhost",
    "a b",
    "[::1",
    "localhost:99999",
    "256.1.1.1",
    "",
  ])("a Host header that is no host name is refused: %j", async (name) => {
    const answer = await raw(CONTROL, `Host: ${name}`);
    expect(answer).toMatch(/^HTTP\/1.1 400 /);
    expect(answer).not.toContain("success");
  });

  test.each([
    ["none", []],
    ["two", ["Host: solid.localhost", "Host: localhost"]],
  ])("a request with %s of them is refused", async (_, headers) => {
    expect(await raw(CONTROL, ...headers)).toMatch(/^HTTP\/1.1 400 /);
  });

  test("a request line with a URL of its own does not overrule the Host header", async () => {
    const answer = await raw(
      `GET http://localhost:${host.port}/client/v4/user/tokens/verify HTTP/1.1`,
      "Host: solid.localhost",
    );
    expect(answer).not.toContain('"success"');
  });

  test("nobody answers with the API's health on a Worker's host", async () => {
    expect((await host.visit("solid.localhost", "/healthz")).body).toBe("solid");
  });
});

describe("headers that choose a version", () => {
  const override = (value: string) =>
    host.visit("solid.localhost", {
      headers: { "cloudflare-workers-version-overrides": value },
    });

  test("reach a version of the current deployment, also at 0 %", async () => {
    const answer = await override(`solid="${zero}"`);
    expect(answer.body).toBe("zero");
    expect(answer.headers["x-switchback-override"]).toBe("applied");
  });

  test.each([
    ["an unknown version", `solid="${"0".repeat(8)}-0000-4000-8000-000000000000"`],
    ["no version id", 'solid="nonsense"'],
    ["an attempt at SQL", `solid="' OR 1=1; --"`],
    ["half an entry", "solid="],
    ["stray quotes", '"""'],
    ["more than is read", "=".repeat(2_000)],
    ["too many entries", Array.from({ length: 40 }, (_, at) => `w${at}="x"`).join(",")],
  ])("are ignored with a reason: %s", async (_, value) => {
    const answer = await override(value);
    expect(answer).toMatchObject({ status: 200, body: "solid" });
    expect(answer.headers["x-switchback-override"]).toMatch(/^ignored; reason=/);
  });

  test("a version key of any length or content serves", async () => {
    for (const key of ["", "a", "x".repeat(5_000), "%00%ff", "日本".normalize() && "caf\u00e9"]) {
      const answer = await host.visit("solid.localhost", {
        headers: { "cloudflare-workers-version-key": key },
      });
      expect(answer).toMatchObject({ status: 200, body: "solid" });
    }
  });

  test("a visitor cannot forge the gateway's own headers", async () => {
    const answer = await host.visit("solid.localhost", {
      headers: { "x-switchback-version": zero, "x-switchback-deployment": "forged" },
    });
    expect(answer.body).toBe("solid");
    expect(answer.headers["x-switchback-version"]).toBe(version);
  });
});

/** What deployed code can reach: its own bindings, and nothing of the machine or of Switchback. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { hostname, networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project, says } from "./support/project.ts";
import { ROOT_TOKEN, TestHost } from "./support/test-host.ts";

const host = new TestHost();
const SOURCE = `import { connect } from "cloudflare:sockets";
import { env as importedEnv, exports as importedExports } from "cloudflare:workers";
import { readFileSync, readdirSync } from "node:fs";
const attempt = async (work) => {
  try { return { reached: String(await work()) } } catch (error) { return { refused: String(error?.message ?? error) } }
};
const ATTEMPTS = {
  fetch: async ({ url, headers }) => {
    const response = await fetch(url, { headers });
    return response.status + " " + (await response.text());
  },
  connect: async ({ url }) => {
    const socket = connect(url);
    await socket.opened;
    const writer = socket.writable.getWriter();
    await writer.write(new TextEncoder().encode("GET / HTTP/1.0\\r\\n\\r\\n"));
    return new Response(socket.readable).text();
  },
  read: async ({ path }) => readFileSync(path, "utf8"),
  list: async ({ path }) => JSON.stringify(readdirSync(path)),
};
export default {
  async fetch(request, env, ctx) {
    const order = await request.json();
    if (order.kind === "look") {
      return Response.json({
        env: Object.keys(env), importedEnv: Object.keys(importedEnv), process: Object.keys(process.env),
        exports: ["WorkerLock", "RoutingLock", "Egress", "ServiceBinding"].filter((name) => ctx.exports?.[name] !== undefined || importedExports?.[name] !== undefined),
        globals: ["LOADER", "DB", "BLOBS", "WORKER_LOCK", "ROUTING_LOCK", "ROOT_TOKEN_SHA256", "SECRETS_KEY"].filter((name) => name in globalThis || name in env),
      });
    }
    return Response.json(await attempt(() => ATTEMPTS[order.kind](order)));
  },
};
`;

interface Attempt {
  readonly reached?: string;
  readonly refused?: string;
}

const order = async (from: TestHost, body: unknown) =>
  JSON.parse(
    (await from.visit("tenant.localhost", { method: "POST", body: JSON.stringify(body) })).body,
  );

/** A service on this machine that nobody outside should reach; it counts who does. */
let hits = 0;
let inner: Server;
let innerPort = 0;

beforeAll(async () => {
  inner = createServer((request, response) => {
    hits++;
    if (request.url === "/to-control") {
      response.writeHead(302, { location: `http://localhost:${host.port}/client/v4/user` });
    }
    response.end("inner service");
  });
  await new Promise<void>((done) => inner.listen(0, "127.0.0.1", done));
  innerPort = (inner.address() as AddressInfo).port;
  await host.start();
  await new Project(host, "neighbour", says("neighbour")).deploy(says("neighbour"));
  await new Project(
    host,
    "tenant",
    SOURCE,
    `compatibility_flags = ["nodejs_compat"]\nvars = { OWN = "1" }`,
  ).wrangler("deploy");
});
afterAll(async () => {
  await host.dispose();
  inner.closeAllConnections();
  await new Promise((done) => inner.close(done));
});

const ownAddresses = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .map(({ address, family }) => (family === "IPv6" ? `[${address.replace(/%.*/, "")}]` : address));

describe("fetch from deployed code", () => {
  const names = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "127.8.8.8",
    "0.0.0.0",
    "localhost",
    "localhost.",
    "LOCALHOST",
    "a.localhost",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::]",
    ...new Set([hostname(), ...ownAddresses]),
  ];

  test.each(names)("does not reach this machine as %s", async (name) => {
    const before = hits;
    const seen: Attempt = await order(host, { kind: "fetch", url: `http://${name}:${innerPort}/` });
    expect(seen.reached).toBeUndefined();
    expect(seen.refused).toMatch(/\S/);
    expect(hits).toBe(before);
  });

  test.each(names)("does not reach the API as %s, not even with the root token", async (name) => {
    const seen: Attempt = await order(host, {
      kind: "fetch",
      url: `http://${name}:${host.port}/client/v4/user/tokens/verify`,
      headers: { authorization: `Bearer ${ROOT_TOKEN}`, host: "localhost" },
    });
    expect(seen.reached).toBeUndefined();
  });

  test.each([
    "http://169.254.169.254/latest/meta-data/",
    "http://[fe80::1]/",
    "http://10.0.0.1/",
    "http://192.168.0.1/",
    "http://172.16.0.1/",
    "http://100.64.0.1/",
    "http://metadata.google.internal/",
  ])("does not reach %s", async (url) => {
    const seen: Attempt = await order(host, { kind: "fetch", url });
    expect(seen.reached).toBeUndefined();
    expect(seen.refused).toMatch(/refused|not public/);
  });

  test("does not reach another Worker by its host, and says what to use", async () => {
    const seen: Attempt = await order(host, {
      kind: "fetch",
      url: `http://neighbour.localhost:${host.port}/`,
    });
    expect(seen.refused).toMatch(/service binding/);
  });
});

describe("other ways out", () => {
  test.each(["127.0.0.1", "localhost"])("connect() to %s opens nothing", async (name) => {
    const before = hits;
    const seen: Attempt = await order(host, { kind: "connect", url: `${name}:${innerPort}` });
    expect(seen.reached).toBeUndefined();
    expect(hits).toBe(before);
  });

  test("the machine's files are not there", async () => {
    const files = ["/etc/passwd", `${host.directory}/installation.json`, "/proc/self/environ"];
    for (const path of files) {
      const seen: Attempt = await order(host, { kind: "read", path });
      expect(seen.reached, path).toBeUndefined();
    }
  });

  test("env, process.env and exports hold what is its own, and nothing of Switchback", async () => {
    const seen = await order(host, { kind: "look" });
    expect(seen).toMatchObject({ env: ["OWN"], importedEnv: ["OWN"], exports: [], globals: [] });
    expect(
      seen.process.filter((name: string) => /SWITCHBACK|TOKEN|SECRET|ACCOUNT/.test(name)),
    ).toEqual([]);
  });
});

describe("an operator who opens the private network", () => {
  // Another name of this machine, so that only the control hosts are still closed.
  const url = (path: string) => `http://0.0.0.0:${innerPort}${path}`;

  test("opens it to fetch, and never the control plane, not by a redirect either", async () => {
    await host.stop();
    await host.start({ flags: ["--egress", "open"] });
    const open: Attempt = await order(host, { kind: "fetch", url: url("/") });
    expect(open.reached).toBe("200 inner service");
    const redirected: Attempt = await order(host, { kind: "fetch", url: url("/to-control") });
    expect(redirected.reached).toBeUndefined();
    expect(redirected.refused).toMatch(/control plane/);
    const direct: Attempt = await order(host, {
      kind: "fetch",
      url: `http://localhost:${host.port}/client/v4/user`,
    });
    expect(direct.refused).toMatch(/control plane/);
  });
});

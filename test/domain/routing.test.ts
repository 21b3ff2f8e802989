import { describe, expect, it } from "vitest";
import type { WorkerId } from "../../src/domain/ids.ts";
import { buildRouteIndex, resolveHost, servesHost } from "../../src/domain/routing.ts";
import type { RouteTable, WorkerHost } from "../../src/domain/route-table.ts";

const id = (name: string) => name as WorkerId;
const worker = (name: string, fields: Partial<WorkerHost> = {}): WorkerHost => ({
  workerId: id(name),
  name,
  enabled: true,
  previewsEnabled: true,
  ...fields,
});
const route = (pattern: string, workerName: string | null) => ({
  id: pattern,
  zoneId: "z",
  pattern,
  workerId: workerName === null ? null : id(workerName),
});
const domain = (hostname: string, workerName: string, enabled = true) => ({
  id: hostname,
  zoneId: "z",
  hostname,
  workerId: id(workerName),
  enabled,
  previewsEnabled: false,
});
const resolve = (table: Partial<RouteTable>, host: string, path = "/") =>
  resolveHost(
    buildRouteIndex({ workers: [], routes: [], domains: [], ...table }, "workers.example"),
    host,
    path,
  );

describe("who answers for a host", () => {
  const workers = [worker("api"), worker("web")];

  it("the most specific route, before a custom domain, before the Worker's own host", () => {
    const domains = [domain("www.example.com", "web"), domain("api.workers.example", "web")];
    const routes = [route("www.example.com/api/*", "api")];
    const table = { workers, domains, routes };
    expect(resolve(table, "www.example.com", "/api/x")).toMatchObject({
      workerId: "api",
      via: "route",
    });
    expect(resolve(table, "www.example.com", "/")).toMatchObject({
      workerId: "web",
      via: "domain",
    });
    expect(resolve(table, "api.workers.example")).toMatchObject({ workerId: "web", via: "domain" });
    expect(resolve(table, "web.workers.example")).toEqual({
      kind: "worker",
      workerId: "web",
      workerName: "web",
      via: "workers_host",
    });
  });

  it("nobody, where the most specific route has no Worker, unless a custom domain does", () => {
    const routes = [route("*/*", "web"), route("*.workers.example/off*", null)];
    expect(resolve({ workers, routes }, "api.workers.example", "/off")).toEqual({
      kind: "none",
      reason: "route_without_worker",
    });
    const domains = [domain("api.workers.example", "api")];
    expect(resolve({ workers, routes, domains }, "api.workers.example", "/off")).toMatchObject({
      workerId: "api",
    });
  });

  it.each(["WEB.Workers.Example", "web.workers.example."])("reads %s as the same host", (host) => {
    expect(resolve({ workers }, host)).toMatchObject({ kind: "worker", workerId: "web" });
  });

  it.each(["workers.example", "x.web.workers.example", "webworkers.example", "", "web", "."])(
    "nobody on %s",
    (host) => {
      expect(resolve({ workers }, host)).toEqual({ kind: "none", reason: "unknown_host" });
    },
  );

  it("nobody, where the Worker's host or the custom domain is switched off", () => {
    const off = [worker("web", { enabled: false })];
    expect(resolve({ workers: off }, "web.workers.example")).toMatchObject({
      reason: "host_disabled",
    });
    const domains = [domain("www.example.com", "web", false)];
    expect(resolve({ workers, domains }, "www.example.com")).toMatchObject({
      reason: "unknown_host",
    });
  });
});

describe("a preview host", () => {
  it.each([
    ["0a1b2c3d-web", "0a1b2c3d", "web"],
    ["staging-web", "staging", "web"],
    ["fix-42-web", "fix-42", "web"],
    ["0a1b2c3d-my-web", "0a1b2c3d", "my-web"],
  ])("%s is the label %s of %s", (text, label, workerName) => {
    const workers = [worker("web"), worker("my-web")];
    expect(resolve({ workers }, `${text}.workers.example`)).toEqual({
      kind: "preview",
      workerId: workerName,
      workerName,
      label,
    });
  });

  it("is the longest Worker name's when it could be two Workers'", () => {
    const workers = [worker("web"), worker("my-web")];
    expect(resolve({ workers }, "a-my-web.workers.example")).toMatchObject({
      workerName: "my-web",
      label: "a",
    });
  });

  it("is never another Worker's own host, also while that host is off", () => {
    const workers = [worker("web"), worker("staging-web", { enabled: false })];
    expect(resolve({ workers }, "staging-web.workers.example")).toMatchObject({
      reason: "host_disabled",
    });
  });

  it.each(["0A1B2C3-web", "1abc-web", "a--web", "-web", "a_b-web"])("is not %s", (text) => {
    expect(resolve({ workers: [worker("web")] }, `${text}.workers.example`)).toMatchObject({
      kind: "none",
    });
  });

  it("says so when the Worker's previews are off", () => {
    const workers = [worker("web", { previewsEnabled: false })];
    expect(resolve({ workers }, "staging-web.workers.example")).toMatchObject({
      reason: "previews_disabled",
    });
  });
});

it("a host is served here if the table names it; a route for every host names none", () => {
  const routing = buildRouteIndex(
    {
      workers: [worker("web")],
      routes: [route("*/*", "web"), route("shop.example/api/*", "web")],
      domains: [domain("www.example.com", "web")],
    },
    "workers.example",
  );
  const serves = (host: string, path = "/") => servesHost(routing, host, path);
  expect(serves("anything.example")).toBe(false);
  expect(serves("shop.example")).toBe(false);
  expect(serves("shop.example", "/api/x")).toBe(true);
  expect(serves("www.example.com")).toBe(true);
  expect(serves("web.workers.example")).toBe(true);
  expect(serves("staging-web.workers.example")).toBe(true);
});

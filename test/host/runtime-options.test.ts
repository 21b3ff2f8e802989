import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DOOR_BINDINGS } from "../../src/domain/doors.ts";
import { COMPATIBILITY_DATE } from "../../src/host/compatibility-date.ts";
import {
  controlHosts,
  controlOptions,
  controlSockets,
  gatewayVariables,
  internetAccess,
  publicUrl,
} from "../../src/host/runtime-options.ts";
import { parseSettings, type Settings } from "../../src/host/settings.ts";
import { dataSockets, storeOptions, storeSockets } from "../../src/host/store-options.ts";

const wrangler = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8");
const INSTALLATION = { accountId: "acme", rootTokenSha256: "00", secretsKey: "k1:AA==" };

function settingsOf(...argv: string[]): Settings {
  return parseSettings(argv, {}) as Settings;
}

function control(settings: Settings) {
  const options = controlOptions({
    settings,
    installation: INSTALLATION,
    script: "export default {}",
    storage: "/data/storage",
    port: 8787,
    sockets: controlSockets("/data/run/x"),
    data: dataSockets("/data/run/x", 2),
  });
  const [only] = options.workers;
  if (!only) throw new Error("no Worker");
  return only;
}

function stores(kind: "data" | "sql") {
  const [only] = storeOptions({
    kind,
    script: "export default {}",
    storage: "/data/storage",
    sockets: storeSockets("/data/run/x"),
    eventsSocket: "/data/run/x/events.sock",
  }).workers;
  if (!only) throw new Error("no Worker");
  return only as typeof only & {
    readonly r2Buckets?: Record<string, string>;
    readonly durableObjects: Record<string, { readonly className: string }>;
  };
}

const namesIn = (pattern: RegExp, text = wrangler) => [...text.matchAll(pattern)].map(([, n]) => n);

describe("the two kinds of process", () => {
  it("have every variable, binding and date of wrangler.toml between them, so that both hosts run the same Worker", () => {
    const made = control(settingsOf());
    const variables = namesIn(/^([A-Z_0-9]+) = /gm, /\[vars\]\n([^]*?)\n\[\[/.exec(wrangler)?.[1]);
    expect(variables.length).toBeGreaterThan(5);
    expect(Object.keys(made.bindings)).toEqual(expect.arrayContaining(variables));

    const data = stores("data");
    const objects = {
      ...made.durableObjects,
      ...data.durableObjects,
      ...stores("sql").durableObjects,
    };
    const bound = Object.keys({
      ...made.d1Databases,
      ...made.r2Buckets,
      ...data.r2Buckets,
      ...objects,
    });
    // The loader is the gateways' alone, objects of Workers are their processes'; a gateway is named by its process.
    expect(
      [...bound, "LOADER", "CF_VERSION_METADATA", "OBJECT_HOSTS", "OBJECT_INDEXES"].toSorted(),
    ).toEqual(namesIn(/^(?:binding|name) = "([A-Z0-9_]+)"$/gm).toSorted());
    for (const { className } of Object.values(objects)) {
      expect(wrangler).toContain(`class_name = "${className}"`);
    }
    expect(wrangler).toContain(`compatibility_date = "${COMPATIBILITY_DATE}"`);
    expect(made.compatibilityDate).toBe(COMPATIBILITY_DATE);
  });

  it("are told what they are", () => {
    expect(control(settingsOf()).bindings).toHaveProperty("ROLE", "control");
    expect(gatewayVariables(settingsOf(), "g7", "pool")).toMatchObject({
      ROLE: "gateway",
      GATEWAY_NAME: "g7",
    });
  });

  it("agree on everything that both are told, but for their role", () => {
    const flags = ["--workers-domain", "w.example", "--control-host", "api.example"];
    const settings = settingsOf(...flags, "--egress", "open");
    const gateway = gatewayVariables(settings, "g1", "pool");
    const told: Record<string, string> = { ...control(settings).bindings };
    for (const [name, value] of Object.entries(gateway)) {
      if (name !== "ROLE" && name !== "GATEWAY_NAME")
        expect([name, told[name]]).toEqual([name, value]);
    }
    expect(gateway["WORKERS_DOMAIN"]).toBe("w.example");
  });
});

describe("a gateway process", () => {
  it("knows no account, no token, no key and no lease settings", () => {
    const settings = parseSettings([], { SWITCHBACK_ROOT_TOKEN: "a-token-of-an-operator" });
    const names = Object.keys(gatewayVariables(settings as Settings, "g1", "pool"));
    expect(names.toSorted()).toEqual([
      "ASSET_FALLBACK",
      "CONTROL_HOSTS",
      "EGRESS",
      "EGRESS_DENIED_HOSTS",
      "GATEWAY_NAME",
      "IDENTIFY_VERSIONS",
      "ROLE",
      "VERSION_OVERRIDES",
      "WORKERS_DOMAIN",
    ]);
  });

  it("keeps deployed code off private networks and off this machine's own public addresses", () => {
    const own = ["127.0.0.1", "203.0.113.7", "2001:db8::7"];
    expect(internetAccess(settingsOf(), own)).toEqual({
      allow: ["public"],
      deny: ["127.0.0.1/32", "203.0.113.7/32", "2001:db8::7/128"],
    });
  });

  it("opens private networks only if asked", () => {
    expect(internetAccess(settingsOf("--egress", "open"), ["127.0.0.1"])).toEqual({
      allow: ["public", "private", "local"],
      deny: [],
    });
  });
});

describe("a process that keeps data", () => {
  it("runs no deployed code, and has its own directory", () => {
    for (const kind of ["data", "sql"] as const) {
      expect(stores(kind)).not.toHaveProperty("workerLoaders");
      expect(stores(kind).bindings).toEqual({ ROLE: kind, CONTROL_HOSTS: "" });
    }
  });
});

describe("the control process", () => {
  it("runs no deployed code: it has no loader, and no way to the internet", () => {
    const made = control(settingsOf());
    expect(made).not.toHaveProperty("workerLoaders");
    expect(Object.keys(made.serviceBindings)).toEqual([
      "TRIAL",
      "EVENTS",
      ...Object.values(DOOR_BINDINGS),
      "OBJECTS_DIRECTORY",
      "OBJECTS_0",
      "OBJECTS_1",
    ]);
  });

  it("listens on its sockets in the run directory and asks the trials' process there", () => {
    const made = control(settingsOf());
    // Miniflare puts ":0" behind each host: these are the very paths of `controlSockets`.
    expect(made.unsafeDirectSockets.map(({ host, port }) => `${host}:${port}`)).toEqual([
      "unix:/data/run/x/api.sock:0",
      "unix:/data/run/x/control.sock:0",
    ]);
    expect(controlSockets("/data/run/x")).toEqual({
      api: "/data/run/x/api.sock:0",
      internal: "/data/run/x/control.sock:0",
      trial: "/data/run/x/trial-in.sock",
      events: "/data/run/x/events.sock",
    });
    expect(made.serviceBindings.TRIAL.external.address).toBe("unix:/data/run/x/trial-in.sock");
  });

  it("is passed a fault point only if there is one", () => {
    expect(control(settingsOf()).bindings).not.toHaveProperty("FAULT_POINT");
    const settings = { ...settingsOf(), faultPoint: "after-intent" };
    expect(control(settings).bindings).toHaveProperty("FAULT_POINT", "after-intent");
  });

  it("prints URLs with the published scheme and port", () => {
    const behind = settingsOf("--public-url", "https://switchback.example");
    expect(control(behind).bindings).toMatchObject({ PUBLIC_SCHEME: "https", PUBLIC_PORT: "443" });
    expect(control(settingsOf()).bindings).toMatchObject({
      PUBLIC_SCHEME: "http",
      PUBLIC_PORT: "8787",
    });
    expect(publicUrl(behind, 8787)).toBe("https://switchback.example");
    expect(publicUrl(settingsOf(), 8787)).toBe("http://localhost:8787");
  });
});

describe("control hosts", () => {
  const loopback = ["localhost", "127.0.0.1", "[::1]"];

  it("are the loopback names and what the operator adds", () => {
    expect(controlHosts(settingsOf())).toEqual(loopback);
    const flags = ["--control-host", "api.example", "--public-url", "https://pub.example:8443"];
    expect(controlHosts(settingsOf(...flags))).toEqual(["pub.example", ...loopback, "api.example"]);
  });

  it("have the address listened on, but never a wildcard", () => {
    expect(controlHosts(settingsOf("--host", "10.0.0.7"))).toEqual([...loopback, "10.0.0.7"]);
    expect(controlHosts(settingsOf("--host", "::1"))).toEqual(loopback);
    expect(controlHosts(settingsOf("--host", "0.0.0.0"))).toEqual(loopback);
    expect(controlHosts(settingsOf("--host", "::"))).toEqual(loopback);
  });
});

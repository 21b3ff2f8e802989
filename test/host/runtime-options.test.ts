import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  COMPATIBILITY_DATE,
  controlHosts,
  publicUrl,
  runtimeOptions,
} from "../../src/host/runtime-options.ts";
import { parseSettings, type Settings } from "../../src/host/settings.ts";

const wrangler = readFileSync(new URL("../../wrangler.toml", import.meta.url), "utf8");

function settingsOf(...argv: string[]): Settings {
  return parseSettings(argv, {}) as Settings;
}

function worker(settings: Settings) {
  const options = runtimeOptions({
    settings,
    installation: { accountId: "acme", rootTokenSha256: "00", secretsKey: "k1:AA==" },
    script: "export default {}",
    storage: "/data/storage",
    port: 8787,
    ownAddresses: ["127.0.0.1", "203.0.113.7", "2001:db8::7"],
    trustedCertificates: [],
  });
  const [only] = options.workers;
  if (!only) throw new Error("no Worker");
  return only;
}

describe("the runtime's options", () => {
  it("have every variable, binding and date of wrangler.toml, so that both hosts run the same Worker", () => {
    const made = worker(settingsOf());
    const variables = /\[vars\]\n([^]*?)\n\[\[/.exec(wrangler)?.[1] ?? "";
    const names = [...variables.matchAll(/^([A-Z_0-9]+) = /gm)].map((match) => match[1]);
    expect(names.length).toBeGreaterThan(5);
    expect(Object.keys(made.bindings)).toEqual(expect.arrayContaining(names));

    const bindings = [...wrangler.matchAll(/^(?:binding|name) = "([A-Z_]+)"$/gm)].map(([, n]) => n);
    const own = { ...made.d1Databases, ...made.r2Buckets, ...made.workerLoaders };
    const boundNames = [...Object.keys({ ...own, ...made.durableObjects }), made.versionMetadata];
    expect(boundNames.toSorted()).toEqual(bindings.toSorted());
    for (const { className } of Object.values(made.durableObjects)) {
      expect(wrangler).toContain(`class_name = "${className}"`);
    }
    expect(wrangler).toContain(`compatibility_date = "${COMPATIBILITY_DATE}"`);
  });

  it("keep deployed code off private networks and off this machine's own public addresses", () => {
    const { network } = worker(settingsOf()).serviceBindings.INTERNET;
    expect(network.allow).toEqual(["public"]);
    expect(network.deny).toEqual(["127.0.0.1/32", "203.0.113.7/32", "2001:db8::7/128"]);
  });

  it("open private networks only if asked", () => {
    const { network } = worker(settingsOf("--egress", "open")).serviceBindings.INTERNET;
    expect(network).toMatchObject({ allow: ["public", "private", "local"], deny: [] });
  });

  it("pass on a fault point only if there is one", () => {
    expect(worker(settingsOf()).bindings).not.toHaveProperty("FAULT_POINT");
    const settings = { ...settingsOf(), faultPoint: "after-intent" };
    expect(worker(settings).bindings).toHaveProperty("FAULT_POINT", "after-intent");
  });

  it("print URLs with the published scheme and port", () => {
    const behind = settingsOf("--public-url", "https://switchback.example");
    expect(worker(behind).bindings).toMatchObject({ PUBLIC_SCHEME: "https", PUBLIC_PORT: "443" });
    expect(worker(settingsOf()).bindings).toMatchObject({
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

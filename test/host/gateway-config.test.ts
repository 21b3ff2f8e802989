import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  certificatesConfig,
  gatewayConfig,
  type GatewayConfigInput,
} from "../../src/host/gateway-config.ts";
import {
  controlSockets,
  gatewayVariables,
  internetAccess,
} from "../../src/host/runtime-options.ts";
import { parseSettings, type Settings } from "../../src/host/settings.ts";

const INPUT: GatewayConfigInput = {
  script: "switchback.js",
  certificates: "certificates.capnp",
  variables: { ROLE: "gateway" },
  socketPath: "/run/g1.sock",
  internalSocketPath: "/run/g1-in.sock",
  controlSocketPath: "/run/control.sock:0",
  supervisorSocketPath: undefined,
  internet: { allow: ["public"], deny: [] },
  doors: { KV_STORE: "/run/kv.sock:0" },
  directorySocketPath: "/run/objects.sock",
  objectSockets: ["/run/objects-0.sock"],
};

/** Every string literal in a configuration, read as Cap'n Proto reads it; the rest with a mark in its place. */
function read(config: string): { strings: string[]; rest: string } {
  const strings: string[] = [];
  const rest = config.replaceAll(/"((?:[^"\\\n]|\\x[0-9a-f]{2})*)"/g, (_, literal: string) => {
    const bytes = literal.replaceAll(/\\x([0-9a-f]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
    strings.push(new TextDecoder().decode(Uint8Array.from(bytes, (byte) => byte.charCodeAt(0))));
    return "§";
  });
  return { strings, rest };
}

const HOSTILE = [
  `"))), evil = (`,
  String.raw`\"),(name="x`,
  "two\nlines",
  "\0\x7f",
  "ümlaut 🚀",
  String.raw`\x22`,
  "${x}",
];

describe("the configuration of a gateway", () => {
  it("has each text as one literal, whatever is in it", () => {
    for (const text of HOSTILE) {
      const { strings, rest } = read(gatewayConfig({ ...INPUT, variables: { ROLE: text } }));
      expect(strings).toContain(text);
      expect(rest).toBe(read(gatewayConfig(INPUT)).rest);
    }
  });

  it("has the same shape for all texts in all places", () => {
    const text = fc.string({ unit: "binary" });
    fc.assert(
      fc.property(text, text, text, text, (name, value, path, network) => {
        const config = gatewayConfig({
          ...INPUT,
          variables: { [`N${name}`]: value },
          socketPath: path,
          internet: { allow: [network], deny: [] },
        });
        const { strings, rest } = read(config);
        expect(rest).toBe(read(gatewayConfig({ ...INPUT, variables: { N: "" } })).rest);
        expect(strings).toEqual(
          expect.arrayContaining([`N${name}`, value, `unix:${path}`, network]),
        );
      }),
    );
  });

  it("is made without any key, token, account or path of the storage", () => {
    const env = { SWITCHBACK_ROOT_TOKEN: "a-token-of-an-operator", SWITCHBACK_ACCOUNT_ID: "acme" };
    const settings = parseSettings(["--data", "/srv/data"], env) as Settings;
    const sockets = controlSockets("/run/x");
    const config = gatewayConfig({
      ...INPUT,
      variables: gatewayVariables(settings, "g1", "pool"),
      controlSocketPath: sockets.internal,
      internet: internetAccess(settings, ["127.0.0.1"]),
    });
    expect(config).not.toMatch(/token|sha256|secret|key|acme|\/srv\/data|durable|disk/i);
  });

  it("lets the Worker itself call nothing: deployed code has a way out of its own", () => {
    const config = gatewayConfig({
      ...INPUT,
      internet: { allow: ["public"], deny: ["127.0.0.1/32"] },
    });
    expect(config).toContain('globalOutbound = "nowhere"');
    expect(config).toContain('(name = "nowhere", network = (allow = [], deny = []))');
    expect(config).toMatch(
      /"tenant-internet", network = \(\s*allow = \["public"\],\s*deny = \["127\.0\.0\.1\/32"\]/,
    );
  });

  it("names the file of trusted certificates and holds none itself, so that a full disk has room for it", () => {
    const config = gatewayConfig({ ...INPUT, certificates: "c.capnp" });
    expect(config).toContain('using Certificates = import "c.capnp";');
    expect(config).toContain("trustedCertificates = Certificates.trusted)");
    expect(config).not.toContain("CERTIFICATE-----");
    expect(certificatesConfig(["A\nB", "C"])).toBe(
      String.raw`const trusted :List(Text) = ["A\x0aB", "C"];` + "\n",
    );
    expect(certificatesConfig([])).toBe("const trusted :List(Text) = [];\n");
  });

  it("listens on its two sockets and on nothing else", () => {
    const addresses = [...gatewayConfig(INPUT).matchAll(/\(name = "(\w+)", address = "([^"]+)"/g)];
    expect(addresses.map(([, name, address]) => `${name} ${address}`)).toEqual([
      "visitors unix:/run/g1.sock",
      "internal unix:/run/g1-in.sock",
    ]);
  });

  it("announces dispatches only where there is somebody to hear them", () => {
    expect(gatewayConfig(INPUT)).not.toMatch(/supervisor/i);
    const announcing = gatewayConfig({ ...INPUT, supervisorSocketPath: "/run/supervisor.sock" });
    expect(announcing).toContain('(name = "SUPERVISOR", service = "supervisor")');
    expect(announcing).toContain('address = "unix:/run/supervisor.sock"');
  });
});

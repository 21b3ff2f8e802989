import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HostError } from "../../src/host/host-error.ts";
import { parseSettings, type Environment, type Settings } from "../../src/host/settings.ts";

function settings(argv: readonly string[] = [], env: Environment = {}): Settings {
  const parsed = parseSettings(argv, env);
  if (parsed === "help") throw new Error("asked for help");
  return parsed;
}

describe("settings", () => {
  it("are local and closed unless asked otherwise", () => {
    expect(settings()).toEqual({
      port: 8787,
      host: "127.0.0.1",
      dataDirectory: "./switchback-data",
      workersDomain: "localhost",
      controlHosts: [],
      publicUrl: undefined,
      egress: "public",
      egressDeniedHosts: "",
      egressDeniedAddresses: [],
      rootToken: undefined,
      accountId: undefined,
      accountName: "Switchback",
      deploymentVersionsMax: 2,
      deployableVersionsMax: 0,
      versionOverrides: "public",
      bindingStubs: "refuse",
      objectProcesses: 32,
      leaseMs: 200,
      identifyVersions: "on",
      assetFallback: "on",
      gateways: expect.any(Number),
      blockMsMax: 500,
      wallMsMax: 100_000,
      gatewayMemoryMb: 512,
      drainMs: 10_000,
      logFormat: "text",
      faultPoint: undefined,
    });
  });

  it("come from the environment, and a flag wins over it", () => {
    const env = {
      SWITCHBACK_PORT: "1",
      SWITCHBACK_WORKERS_DOMAIN: "workers.example",
      SWITCHBACK_CONTROL_HOSTS: "a.example, B.example",
      SWITCHBACK_EGRESS: "open",
      SWITCHBACK_EGRESS_DENIED_ADDRESSES: "203.0.113.7/32, 2001:db8::/32",
    };
    expect(settings([], env)).toMatchObject({
      port: 1,
      workersDomain: "workers.example",
      controlHosts: ["a.example", "b.example"],
      egress: "open",
      egressDeniedAddresses: ["203.0.113.7/32", "2001:db8::/32"],
    });
    const flags = ["--port", "2", "--control-host", "c.example", "--control-host", "d.example"];
    expect(settings(flags, env)).toMatchObject({
      port: 2,
      controlHosts: ["c.example", "d.example"],
    });
  });

  it("take an empty variable for one that is not set", () => {
    const env = { SWITCHBACK_PORT: "", SWITCHBACK_ROOT_TOKEN: "", SWITCHBACK_ACCOUNT_ID: "" };
    expect(settings([], env)).toEqual(settings());
  });

  it("ask for help with --help and -h, whatever else is there", () => {
    expect(parseSettings(["--help"], {})).toBe("help");
    expect(parseSettings(["-h", "--port", "x"], {})).toBe("help");
  });

  it.each<[readonly string[], Environment, RegExp]>([
    [["--nope"], {}, /^Unknown option '--nope'\. See --help/],
    [["serve"], {}, /^Unexpected argument 'serve'\. See --help/],
    [["--port"], {}, /argument missing\. See --help/],
    [["--port", "8787x"], {}, /--port has to be a number/],
    [["--port", "65536"], {}, /--port has to be a number/],
    [["--workers-domain", "https://a.example"], {}, /--workers-domain has to be a host name/],
    [["--control-host", "a.example:80"], {}, /--control-host has to be a host name/],
    [["--public-url", "a.example"], {}, /--public-url has to be like/],
    [["--public-url", "https://a.example/path"], {}, /--public-url has to be like/],
    [["--egress", "none"], {}, /--egress has to be one of public, open, not "none"/],
    [
      [],
      { SWITCHBACK_EGRESS_DENIED_ADDRESSES: "10.0.0.0/8, 203.0.113.7" },
      /"203\.0\.113\.7" is none/,
    ],
    [[], { SWITCHBACK_ROOT_TOKEN: "short" }, /SWITCHBACK_ROOT_TOKEN has to be 8 to 256/],
    [[], { SWITCHBACK_ROOT_TOKEN: "sixteen chars and spaces" }, /SWITCHBACK_ROOT_TOKEN has to be/],
    [["--data="], {}, /^--data has no value\. See --help/],
    [["--host", ""], {}, /^--host has no value\. See --help/],
    [["--control-host", "a", "--control-host="], {}, /^--control-host has no value\. See --help/],
    [[], { SWITCHBACK_ACCOUNT_ID: "a-b" }, /SWITCHBACK_ACCOUNT_ID has to be 1 to 64 letters/],
    [[], { SWITCHBACK_ACCOUNT_ID: "a".repeat(65) }, /SWITCHBACK_ACCOUNT_ID has to be 1 to 64/],
    [[], { SWITCHBACK_DEPLOYABLE_VERSIONS_MAX: "1000001" }, /has to be a number from 0 \(all\)/],
    [[], { SWITCHBACK_DEPLOYABLE_VERSIONS_MAX: "-1" }, /has to be a number from 0 \(all\)/],
    [[], { SWITCHBACK_DEPLOYMENT_VERSIONS_MAX: "21" }, /has to be a number from 1 to 20/],
    [[], { SWITCHBACK_VERSION_OVERRIDES: "all" }, /SWITCHBACK_VERSION_OVERRIDES has to be one of/],
    [[], { SWITCHBACK_IDENTIFY_VERSIONS: "yes" }, /SWITCHBACK_IDENTIFY_VERSIONS has to be one of/],
  ])("refuse %j %j in one sentence", (argv, env, message) => {
    expect(() => parseSettings(argv, env)).toThrow(HostError);
    expect(() => parseSettings(argv, env)).toThrow(message);
  });

  it("never put a token into a message", () => {
    expect(() => settings([], { SWITCHBACK_ROOT_TOKEN: "my secret" })).toThrow(/^(?!.*my secret)/);
  });

  it("are settings, help or one line of refusal for any arguments at all", () => {
    const word = fc.oneof(
      fc.string(),
      fc.constantFrom("--port", "--data", "--control-host", "--egress", "--public-url", "--", "-h"),
    );
    fc.assert(
      fc.property(fc.array(word, { maxLength: 6 }), (argv) => {
        try {
          parseSettings(argv, {});
        } catch (error) {
          expect(error).toBeInstanceOf(HostError);
        }
      }),
    );
  });
});

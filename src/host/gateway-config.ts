/**
 * The whole configuration of a gateway process in workerd's own format, as one pure function. What the control
 * process has and a gateway has not: the database, the locks, stored bytes, keys and tokens.
 */
import { COMPATIBILITY_DATE } from "./compatibility-date.ts";

/** Networks that deployed code may reach, as workerd's `network` service has them. */
export interface InternetAccess {
  readonly allow: readonly string[];
  readonly deny: readonly string[];
}

export interface GatewayConfigInput {
  /** File name of the bundled Worker, beside the configuration. */
  readonly script: string;
  /** File name of what {@link certificatesConfig} gives, beside the configuration. */
  readonly certificates: string;
  readonly variables: Readonly<Record<string, string>>;
  /** Where visitors' requests arrive. */
  readonly socketPath: string;
  /** Where the supervisor and the control process ask. */
  readonly internalSocketPath: string;
  /** The control plane's door. */
  readonly controlSocketPath: string;
  /** Where dispatches are announced; without it none is. */
  readonly supervisorSocketPath: string | undefined;
  readonly internet: InternetAccess;
}

/** Miniflare serves RPC under this host name on every direct socket, so both sides use it. */
export const RPC_HOST = "miniflare-unsafe-internal-capnp-connect";

/** Text of a workerd configuration. */
export function gatewayConfig(input: GatewayConfigInput): string {
  const { internet, supervisorSocketPath } = input;
  const bindings = [
    `(name = "LOADER", workerLoader = ())`,
    `(name = "CONTROL", service = "control")`,
    `(name = "INTERNET", service = "tenant-internet")`,
    ...(supervisorSocketPath === undefined
      ? []
      : [`(name = "SUPERVISOR", service = "supervisor")`]),
    ...Object.entries(input.variables).map(
      ([name, value]) => `(name = ${text(name)}, text = ${text(value)})`,
    ),
  ];
  const services = [
    `(name = "gateway", worker = (
      modules = [(name = "switchback.js", esModule = embed ${text(input.script)})],
      compatibilityDate = ${text(COMPATIBILITY_DATE)},
      compatibilityFlags = ["experimental"],
      globalOutbound = "nowhere",
      bindings = [\n        ${bindings.join(",\n        ")}\n      ]
    ))`,
    `(name = "nowhere", network = (allow = [], deny = []))`,
    `(name = "tenant-internet", network = (
      allow = ${list(internet.allow)},
      deny = ${list(internet.deny)},
      tlsOptions = (trustBrowserCas = true, trustedCertificates = Certificates.trusted)
    ))`,
    `(name = "control", external = (address = ${address(input.controlSocketPath)}, http = (capnpConnectHost = ${text(RPC_HOST)})))`,
    ...(supervisorSocketPath === undefined
      ? []
      : [
          `(name = "supervisor", external = (address = ${address(supervisorSocketPath)}, http = ()))`,
        ]),
  ];
  const sockets = [
    `(name = "visitors", address = ${address(input.socketPath)}, http = (), service = "gateway")`,
    `(name = "internal", address = ${address(input.internalSocketPath)}, http = (capnpConnectHost = ${text(RPC_HOST)}),
      service = (name = "gateway", entrypoint = "GatewayEntrypoint"))`,
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
using Certificates = import ${text(input.certificates)};

const config :Workerd.Config = (
  logging = (structuredLogging = true),
  services = [
    ${services.join(",\n    ")}
  ],
  sockets = [
    ${sockets.join(",\n    ")}
  ]
);
`;
}

/**
 * The certificate authorities, PEM, that deployed code may trust besides the usual ones: one file for all gateways of a
 * host, because there can be hundreds.
 */
export function certificatesConfig(trusted: readonly string[]): string {
  return `const trusted :List(Text) = ${list(trusted)};\n`;
}

const address = (socketPath: string): string => text(`unix:${socketPath}`);
const list = (values: readonly string[]): string => `[${values.map(text).join(", ")}]`;

/** A Cap'n Proto string: its escapes are C's, so each byte beyond printable ASCII is written in hex. */
function text(value: string): string {
  let escaped = "";
  for (const byte of new TextEncoder().encode(value)) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x22 && byte !== 0x5c;
    escaped += plain ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return `"${escaped}"`;
}

/**
 * The whole configuration of a gateway process in workerd's own format, as one pure function. What the control
 * process has and a gateway has not: the database, the locks, stored bytes, keys and tokens.
 */
import { COMPATIBILITY_DATE } from "./compatibility-date.ts";
import { CF_HEADER } from "./front/client-lines.ts";

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
  /** By environment name: the doors to what versions store. */
  readonly doors: Readonly<Record<string, string>>;
  /** Where to ask which of {@link objectSockets} has a Worker's Durable Objects. */
  readonly directorySocketPath: string;
  readonly objectSockets: readonly string[];
  /** Of a process of Durable Objects alone. */
  readonly objects?: {
    /** Whose they are. */
    readonly workerId: string;
    /** Directory of their storage. */
    readonly storage: string;
  };
}

/** Miniflare serves RPC under this host name on every direct socket, so both sides use it. */
export const RPC_HOST = "miniflare-unsafe-internal-capnp-connect";

/** Text of a workerd configuration. */
export function gatewayConfig(input: GatewayConfigInput): string {
  const { internet, supervisorSocketPath, objects } = input;
  const doors = [
    ...Object.entries(input.doors),
    ...input.objectSockets.map((path, slot) => [`OBJECTS_${slot}`, path] as const),
  ];
  const bindings = [
    `(name = "LOADER", workerLoader = ())`,
    `(name = "CONTROL", service = "control")`,
    `(name = "INTERNET", service = "tenant-internet")`,
    ...(supervisorSocketPath === undefined
      ? []
      : [`(name = "SUPERVISOR", service = "supervisor")`]),
    `(name = "OBJECTS_DIRECTORY", service = "objects-directory")`,
    ...doors.map(([name]) => `(name = ${text(name)}, service = ${text(name)})`),
    ...(objects === undefined
      ? []
      : [
          `(name = "OBJECT_HOSTS", durableObjectNamespace = "ObjectHost")`,
          `(name = "OBJECT_INDEXES", durableObjectNamespace = "NamespaceIndex")`,
          `(name = "WORKER_ID", text = ${text(objects.workerId)})`,
        ]),
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
      bindings = [\n        ${bindings.join(",\n        ")}\n      ]${objects === undefined ? "" : OBJECT_HOST}
    ))`,
    ...(objects === undefined
      ? []
      : [`(name = "disk", disk = (path = ${text(objects.storage)}, writable = true))`]),
    `(name = "objects-directory", external = (address = ${address(input.directorySocketPath)}, http = ()))`,
    ...doors.map(([name, path]) => rpcService(name, path)),
    `(name = "nowhere", network = (allow = [], deny = []))`,
    `(name = "tenant-internet", network = (
      allow = ${list(internet.allow)},
      deny = ${list(internet.deny)},
      tlsOptions = (trustBrowserCas = true, trustedCertificates = Certificates.trusted)
    ))`,
    rpcService("control", input.controlSocketPath),
    ...(supervisorSocketPath === undefined
      ? []
      : [
          `(name = "supervisor", external = (address = ${address(supervisorSocketPath)}, http = ()))`,
        ]),
  ];
  const sockets = [
    objects === undefined
      ? `(name = "visitors", address = ${address(input.socketPath)}, http = (cfBlobHeader = ${text(CF_HEADER)}), service = "gateway")`
      : `(name = "objects", address = ${address(input.socketPath)}, http = (capnpConnectHost = ${text(RPC_HOST)}),
      service = (name = "gateway", entrypoint = "ObjectsDoor"))`,
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

/** Every object of a Worker is one of this class, whatever its own is; their storage is under its key for ever. */
const OBJECT_HOST = `,
      durableObjectNamespaces = [
        (className = "ObjectHost", uniqueKey = "objects", enableSql = true),
        (className = "NamespaceIndex", uniqueKey = "indexes", enableSql = true)
      ],
      durableObjectStorage = (localDisk = "disk")`;

/** An entrypoint of another process, asked by RPC. */
const rpcService = (name: string, socketPath: string): string =>
  `(name = ${text(name)}, external = (address = ${address(socketPath)}, http = (capnpConnectHost = ${text(RPC_HOST)})))`;

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

/**
 * The public socket, which outlives every process that accepts on it: bound once, listening from then on
 * (the kernel queues connections while nobody accepts), inherited by one supervisor after the other.
 */
import { spawnSync } from "node:child_process";
import { lookup } from "node:dns/promises";
import { createRequire } from "node:module";
import { getSystemErrorName } from "node:util";
import { LISTENER_FD, type Listener } from "./handover.ts";
import { HostError } from "./host-error.ts";
import { LISTEN_BACKLOG } from "./launcher-limits.ts";
import { withPort } from "./port.ts";
import type { Environment } from "./settings.ts";

/** A socket of Node's that does not accept: `listen` in this process would. */
interface SocketHandle {
  readonly fd: number;
  /** 0 or a negative error number. */
  getsockname(into: { port?: number }): number;
  close(): void;
}

/** Not in Node's documentation, but in every version since 0.8, and used by its own cluster module. */
const net = createRequire(import.meta.url)("node:net") as {
  _createServerHandle(
    address: string | null,
    port: number | null,
    family: 4 | 6 | -1,
    fd?: number,
    flags?: number,
  ): SocketHandle | number;
};

export interface PublicSocket extends Listener {
  /** The descriptor is void then. The socket listens on while another process has it. May be called again. */
  close(): void;
}

/** The socket that systemd has opened for this process, or a new one. Throws a HostError that the operator can mend. */
export async function openPublicSocket(
  { host, port, patienceMs }: { host: string; port: number; patienceMs: number },
  env: Environment,
): Promise<PublicSocket> {
  if (env["LISTEN_PID"] === String(process.pid)) return givenSocket(Number(env["LISTEN_FDS"]));
  return withPort({ host, port, patienceMs }, async (tried) => {
    const { address, family } = await lookup(host.replace(/^\[(.*)\]$/, "$1"));
    return listening(
      bound(net._createServerHandle(address, tried, family === 6 ? 6 : 4, undefined, 0)),
    );
  });
}

function givenSocket(count: number): PublicSocket {
  if (count !== 1) {
    throw new HostError(
      `systemd has passed ${count} sockets; Switchback takes one. Keep one ListenStream= in the socket unit.`,
    );
  }
  const socket = net._createServerHandle(null, null, -1, LISTENER_FD);
  if (typeof socket === "number" || !("getsockname" in socket)) {
    throw new HostError(
      "systemd has passed something else than a TCP socket. Set ListenStream= to an address and a port.",
    );
  }
  return bound(socket);
}

function bound(socket: SocketHandle | number): PublicSocket {
  if (typeof socket === "number") throw systemError(socket);
  const name: { port?: number } = {};
  // An address in use is reported here and not by the call that binds.
  const status = socket.getsockname(name);
  if (status !== 0 || name.port === undefined) {
    socket.close();
    throw systemError(status);
  }
  return { fd: socket.fd, port: name.port, close: () => socket.close() };
}

/**
 * Listening belongs to the socket, not to the process that asks for it: one asks and ends before it accepts. The
 * kernel queues LISTEN_BACKLOG connections, or net.core.somaxconn if that is fewer; who listens again sets it anew.
 */
function listening(socket: PublicSocket): PublicSocket {
  // Its callback comes before the first look for connections.
  const script =
    `require("node:net").createServer().once("error", ({ code }) => {` +
    ` process.stdout.write(code); process.exitCode = 1; })` +
    // Not among the options: there Node ignores it for a descriptor.
    `.listen({ fd: ${LISTENER_FD} }, ${LISTEN_BACKLOG}, () => process.exit(0))`;
  const { status, stdout } = spawnSync(process.execPath, ["-e", script], {
    stdio: ["ignore", "pipe", "ignore", socket.fd],
    env: {},
    encoding: "utf8",
  });
  if (status === 0) return socket;
  socket.close();
  throw Object.assign(new Error("cannot listen"), { code: stdout || "EIO" });
}

function systemError(status: number): Error {
  const code = status < 0 ? getSystemErrorName(status) : "EIO";
  return Object.assign(new Error(code), { code });
}

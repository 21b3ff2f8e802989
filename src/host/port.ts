/** Finds out whether the public address can be had, before anything else is started, and what is wrong if not. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { HostError, reasonOf } from "./host-error.ts";

/**
 * Where a free port is looked for: below those that systems hand out by themselves (32768 and up), or it could be
 * another program's by the time that somebody listens on it.
 */
const FREE_PORT_MIN = 20_000;
const FREE_PORT_MAX = 32_767;
const FREE_PORT_TRIES_MAX = 20;
const RETRY_MS = 50;

/**
 * What `claim` gives for the port, or for a free one in place of 0. Throws a HostError that says what is wrong
 * with the address. A port that is taken is tried again for `patienceMs`: a killed host may be dying.
 */
export async function withPort<T>(
  { host, port, patienceMs }: { host: string; port: number; patienceMs: number },
  claim: (port: number) => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + patienceMs;
  for (let tries = 1; ; tries++) {
    try {
      return await claim(port || randomInt(FREE_PORT_MIN, FREE_PORT_MAX + 1));
    } catch (error) {
      const reason = reasonOf(error);
      const again = port === 0 ? tries < FREE_PORT_TRIES_MAX : performance.now() < deadline;
      if (reason !== "EADDRINUSE" || !again) throw new HostError(explain(reason, host, port));
      if (port !== 0) await sleep(RETRY_MS);
    }
  }
}

/** The port, or a free one for 0, seen to be nobody's just now. */
export function claimPort(host: string, port: number, patienceMs: number): Promise<number> {
  return withPort({ host, port, patienceMs }, (tried) => listenOnce(host, tried));
}

async function listenOnce(host: string, port: number): Promise<number> {
  const server = createServer();
  try {
    return await new Promise<number>((done, fail) => {
      server.once("error", fail);
      server.listen({ host: host.replace(/^\[(.*)\]$/, "$1"), port, exclusive: true }, () => {
        done(port);
      });
    });
  } finally {
    await new Promise((done) => server.close(done));
  }
}

function explain(reason: string, host: string, port: number): string {
  switch (reason) {
    case "EADDRINUSE":
      return `Port ${port} on ${host} is taken by another program. Stop that one, or choose another port with --port.`;
    case "EACCES":
      return `Port ${port} on ${host} needs privileges that this user does not have. Choose one above 1023 with --port.`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${host} is not an address of this machine. Choose another with --host.`;
    default:
      return `Switchback cannot listen on ${host}, port ${port} (${reason}).`;
  }
}

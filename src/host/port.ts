/** Finds out before anything else is started whether the public address can be had. */
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { HostError, reasonOf } from "./host-error.ts";

/**
 * Where a free port is looked for: below those that systems hand out by themselves (32768 and up), or it could be
 * another program's by the time that the runtime listens on it.
 */
const FREE_PORT_MIN = 20_000;
const FREE_PORT_MAX = 32_767;
const FREE_PORT_TRIES_MAX = 20;

/**
 * The port, or the one chosen for 0. Throws a HostError that says what is wrong with the address.
 * A port that is taken is tried again for `patienceMs`: the last runtime of a killed host may be dying.
 */
export async function claimPort(host: string, port: number, patienceMs: number): Promise<number> {
  if (port === 0) return claimFreePort(host);
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await listenOnce(host, port);
    } catch (error) {
      const reason = reasonOf(error);
      if (reason !== "EADDRINUSE" || performance.now() >= deadline) {
        throw new HostError(explain(reason, host, port));
      }
      await sleep(50);
    }
  }
}

async function claimFreePort(host: string): Promise<number> {
  let reason = "";
  for (let tries = 1; tries <= FREE_PORT_TRIES_MAX; tries++) {
    try {
      return await listenOnce(host, randomInt(FREE_PORT_MIN, FREE_PORT_MAX + 1));
    } catch (error) {
      reason = reasonOf(error);
      if (reason !== "EADDRINUSE") break;
    }
  }
  throw new HostError(explain(reason, host, 0));
}

async function listenOnce(host: string, port: number): Promise<number> {
  const server = createServer();
  try {
    return await new Promise<number>((done, fail) => {
      server.once("error", fail);
      server.listen({ host: host.replace(/^\[(.*)\]$/, "$1"), port, exclusive: true }, () => {
        const address = server.address();
        done(typeof address === "object" && address ? address.port : port);
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

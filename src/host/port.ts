/** Finds out before anything else is started whether the public address can be had. */
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { HostError, reasonOf } from "./host-error.ts";

/**
 * The port, or the one chosen for 0. Throws a HostError that says what is wrong with the address.
 * A port that is taken is tried again for `patienceMs`: the last runtime of a killed host may be dying.
 */
export async function claimPort(host: string, port: number, patienceMs: number): Promise<number> {
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

import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";

/** More than the 511 that Node asks for where it is not told. */
export const QUEUE = 1_000;

/** What the system cuts every queue to; 0 where it does not say. */
export function somaxconn(): number {
  try {
    return Number(readFileSync("/proc/sys/net/core/somaxconn", "utf8"));
  } catch {
    return 0;
  }
}

/** Resolves when that many connections are established though nobody accepts: those beyond the queue never are. */
export async function queued(port: number): Promise<void> {
  const sockets: Socket[] = [];
  const one = () =>
    new Promise<void>((done, fail) => {
      const socket = connect(port, "127.0.0.1", done);
      socket.once("error", fail);
      sockets.push(socket);
    });
  try {
    await Promise.all(Array.from({ length: QUEUE }, one));
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

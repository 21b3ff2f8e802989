import { rmSync } from "node:fs";
import type { Server } from "node:http";

/** Listens on a Unix socket, whatever an earlier process has left there. Gives what ends it, with all its connections. */
export async function listenOnSocket(
  server: Server,
  socketPath: string,
): Promise<() => Promise<void>> {
  rmSync(socketPath, { force: true });
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(socketPath, done);
  });
  return async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  };
}

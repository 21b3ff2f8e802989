/**
 * Where gateways ask at which slot a Worker's Durable Objects answer: `GET /<Worker id>` → 200 with the slot's number,
 * 503 when there is none just now.
 */
import { createServer } from "node:http";
import { listenOnSocket } from "../listen-on-socket.ts";

export interface ObjectsDirectory {
  close(): Promise<void>;
}

export async function listenForObjects(
  socketPath: string,
  slotOf: (workerId: string) => Promise<number | null>,
): Promise<ObjectsDirectory> {
  const server = createServer((request, response) => {
    request.resume();
    slotOf((request.url ?? "").slice(1)).then(
      (slot) => {
        if (slot === null) response.writeHead(503).end();
        else response.writeHead(200, { "content-type": "text/plain" }).end(String(slot));
      },
      () => response.writeHead(503).end(),
    );
  });
  return { close: await listenOnSocket(server, socketPath) };
}

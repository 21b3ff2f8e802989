/** Where gateways that are under suspicion ask before they run a version, on a socket of their own. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listenOnSocket } from "./listen-on-socket.ts";

export interface Announcement {
  /** Name of the gateway. */
  readonly gateway: string;
  readonly workerId: string;
  readonly versionId: string;
}

export interface AnnouncementsParts {
  /** Resolves when it may run; the answer's function is called when it is over. Null: not to be run at all. */
  readonly admit: (announcement: Announcement) => Promise<(() => void) | null>;
}

export interface Announcements {
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 1_024;

export async function listenForAnnouncements(
  socketPath: string,
  { admit }: AnnouncementsParts,
): Promise<Announcements> {
  const server = createServer((request, response) => {
    void answer(request, response, admit).catch(() => response.destroy());
  });
  return { close: await listenOnSocket(server, socketPath) };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  admit: AnnouncementsParts["admit"],
): Promise<void> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += String(chunk);
    if (text.length > BODY_BYTES_MAX) return void response.destroy();
  }
  const { gateway, workerId, versionId } = JSON.parse(text) as Announcement;
  let isClosed = false;
  response.once("close", () => (isClosed = true));
  const over = await admit({ gateway, workerId, versionId });
  if (over === null) return void response.writeHead(503).end();
  if (isClosed) return over();
  // Held open: its end is the end of the dispatch.
  response.once("close", over);
  response.writeHead(200, { "content-type": "application/octet-stream" }).flushHeaders();
}

/** What one side answers to all checks, without what is different by nature. */
import { setTimeout as sleep } from "node:timers/promises";
import { openWebSocket, RawWebSocket } from "../e2e/support/raw-web-socket.ts";
import { assets, http, type HttpCheck, ITS_TAG, SOCKET_CHECKS } from "./http-checks.ts";
import { type Side, visitSide } from "./side.ts";

/** Check by name → its answer, as JSON. */
export type Answers = Readonly<Record<string, unknown>>;

/** Groups of checks that run inside the Worker. */
export const WORKER_GROUPS = [
  "kv-read",
  "kv-write",
  "r2-get",
  "r2-put",
  "r2-list",
  "d1-statements",
  "d1-database",
  "queues",
  "durable-objects",
  "object-calls",
  "inside-object",
  "cache",
  "platform",
] as const;
/** Groups that are requests from outside. */
export const HTTP_GROUPS = { assets, http } as const;

/** A WebSocket that is not closed by then stays open, in milliseconds. */
const SOCKET_MS_MAX = 3_000;
/** Of a connection, of a time, or Switchback's own by design. */
const HEADERS_LEFT_OUT =
  /^(?:date|connection|keep-alive|transfer-encoding|x-mf-.*|x-switchback-.*|x-request-id|cf-cache-status)$/;

export async function askWorker(side: Side, group: string): Promise<Answers> {
  const { status, body } = await visitSide(side, "conformance.localhost", {
    path: `/checks/${group}`,
  });
  if (status !== 200) throw new Error(`${group}: status ${status}: ${body.slice(0, 500)}`);
  return JSON.parse(normal(body)) as Answers;
}

export async function askHttp(
  side: Side,
  checks: Readonly<Record<string, HttpCheck>>,
): Promise<Answers> {
  const answers: Record<string, unknown> = {};
  for (const [name, check] of Object.entries(checks)) answers[name] = await askOne(side, check);
  return answers;
}

async function askOne(side: Side, check: HttpCheck): Promise<unknown> {
  const { host, ...options } = check;
  const visit = await visitSide(side, host, {
    ...options,
    headers: await withTag(side, check),
  });
  const headers = Object.entries(visit.headers)
    .filter(([name]) => !HEADERS_LEFT_OUT.test(name))
    .map(([name, value]) => [name, name === "etag" ? tagForm(String(value)) : value]);
  return JSON.parse(
    normal(
      JSON.stringify({
        status: visit.status,
        headers: Object.fromEntries(headers),
        body: visit.body.slice(0, 500),
      }),
    ),
  );
}

/** WebSockets of visitors: what came back for what they said, and how it ended. */
export async function askSockets(side: Side): Promise<Answers> {
  const answers: Record<string, unknown> = {};
  for (const [name, { host, path, says }] of Object.entries(SOCKET_CHECKS)) {
    const socket = await openWebSocket(side.ports[host] ?? 0, host, path);
    if (!(socket instanceof RawWebSocket)) {
      answers[name] = { refused: socket };
      continue;
    }
    for (const text of says) socket.send(text);
    await Promise.race([socket.closed, sleep(SOCKET_MS_MAX)]);
    answers[name] = { received: socket.received, closeCode: socket.closeCode };
    socket.cut();
  }
  return answers;
}

/** An asset's tag may be any: only its form is compared. */
const tagForm = (tag: string): string => (/^"[\w-]{8,}"$/.test(tag) ? "a strong tag" : tag);

async function withTag(side: Side, check: HttpCheck): Promise<Record<string, string>> {
  const headers = { ...check.headers };
  for (const [name, value] of Object.entries(headers)) {
    if (!value.includes(ITS_TAG)) continue;
    const { etag } = (await visitSide(side, check.host, { path: check.path })).headers;
    headers[name] = value.replace(ITS_TAG, etag ?? "none");
  }
  return headers;
}

/** Ports are each side's own. */
const normal = (text: string): string => text.replaceAll(/(\.localhost):\d+/g, "$1");

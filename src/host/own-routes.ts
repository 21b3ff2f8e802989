/** What the supervisor answers by itself on the control hosts: whether all is well, and what has been counted. */
import { createHash, timingSafeEqual } from "node:crypto";
import { HEALTH_ANSWER_MS_MAX, TOKEN_CHARS_MAX } from "../domain/limits.ts";
import type { ControlProcess } from "./control-process.ts";
import type { RequestHead } from "./front/request-head.ts";
import type { Flight, OwnAnswer } from "./front/switchyard.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import { reasonOf } from "./host-error.ts";
import type { Log } from "./log.ts";
import { CONTENT_TYPE } from "./metrics/exposition.ts";
import { unauthorized } from "./own-answers.ts";
import type { OwnRoute } from "./traffic.ts";

export interface OwnRoutesParts {
  readonly control: Pick<ControlProcess, "state" | "ask">;
  readonly gateways: { readonly alive: Iterable<Pick<GatewayProcess, "kind" | "isUp">> };
  readonly metrics: { readonly text: () => Promise<string> };
  readonly rootTokenSha256: string;
  readonly log: Log;
  /** Another host takes over, or this one is stopping. */
  readonly isLeaving: () => boolean;
}

export function ownRoutes(parts: OwnRoutesParts): ReadonlyMap<string, OwnRoute> {
  const routes: Record<string, OwnRoute> = {
    "/readyz": async () => readiness(parts),
    "/healthz": () => health(parts),
    "/metrics": (head, flight) => metrics(parts, head, flight),
  };
  return new Map(
    Object.entries(routes).map(([path, route]) => [
      path,
      (head, flight) => (isRead(flight) ? route(head, flight) : null),
    ]),
  );
}

/** Other methods are the API's to refuse, like those of any other path. */
const isRead = ({ method }: Flight): boolean => method === "GET" || method === "HEAD";

const json = (status: number, body: unknown): OwnAnswer => jsonText(status, JSON.stringify(body));

const jsonText = (status: number, body: string): OwnAnswer => ({
  status,
  headers: { "content-type": "application/json", "cache-control": "no-store" },
  body,
});

/** 200 if requests of both kinds are answered: the API's, and visitors' by at least one gateway. */
function readiness({ control, gateways, isLeaving }: OwnRoutesParts): OwnAnswer {
  const pool = [...gateways.alive].filter(({ kind, isUp }) => kind === "pool" && isUp).length;
  const status = { control: control.state, gateways: pool, leaving: isLeaving() };
  const ready = status.control === "ok" && pool > 0 && !status.leaving;
  return json(ready ? 200 : 503, { ready, ...status });
}

/** The control process's own word; the supervisor's where that one would be waited for in vain. */
async function health({ control }: OwnRoutesParts): Promise<OwnAnswer> {
  const silent = (how: string) => json(503, { status: `control process ${how}` });
  if (control.state === "down") return silent("is down");
  if (control.state === "does not answer") return silent("does not answer");
  // One that has just frozen is not known to be silent: until a probe proves it, only a time limit helps.
  const question = { method: "GET", path: "/healthz", timeoutMs: HEALTH_ANSWER_MS_MAX };
  const answer = await control.ask("api", question);
  return answer === undefined ? silent("does not answer") : jsonText(answer.status, answer.text);
}

async function metrics(
  { metrics: counted, rootTokenSha256, log }: OwnRoutesParts,
  head: RequestHead,
  flight: Flight,
): Promise<OwnAnswer> {
  if (!isRootToken(head.header("authorization"), rootTokenSha256)) return unauthorized(flight);
  const headers = { "content-type": CONTENT_TYPE, "cache-control": "no-store" };
  try {
    return { status: 200, headers, body: await counted.text() };
  } catch (error) {
    log.event("error", "metrics failed", { reason: reasonOf(error) });
    throw error;
  }
}

/** Digests are compared in constant time: how long it takes says nothing about the token. */
function isRootToken(authorization: string | null, sha256: string): boolean {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  if (token === undefined || token.length > TOKEN_CHARS_MAX) return false;
  const given = createHash("sha256").update(token, "latin1").digest();
  const expected = Buffer.from(sha256, "hex");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

import type { CurrentDeployment } from "../domain/deployment.ts";
import type { OverrideDecision } from "../domain/version-override.ts";

/** What an answer says about where it came from. */
export interface Origin {
  readonly versionId: string;
  readonly deployment: CurrentDeployment | null;
  readonly override: OverrideDecision;
}

const VERSION = "x-switchback-version";
const DEPLOYMENT = "x-switchback-deployment";
const OVERRIDE = "x-switchback-override";
const ERROR = "x-switchback-error";
const OWN = [VERSION, DEPLOYMENT, OVERRIDE, ERROR];

/** A visitor cannot hand a Worker headers that look like the gateway's. Copies the request only if one tries. */
export function withoutOwnHeaders(request: Request): Request {
  if (!OWN.some((name) => request.headers.has(name))) return request;
  const copy = new Request(request);
  for (const name of OWN) copy.headers.delete(name);
  return copy;
}

/**
 * A Worker's answer with the gateway's headers, or, without an origin, with none of them. Never reads the
 * body; a WebSocket stays one.
 */
export function ownAnswer(response: Response, origin: Origin | null): Response {
  if (!origin && !OWN.some((name) => response.headers.has(name))) return response;
  const copy = new Response(response.body, response);
  const { headers } = copy;
  for (const name of [OVERRIDE, ERROR]) if (headers.has(name)) headers.delete(name);
  if (!origin) {
    headers.delete(VERSION);
    headers.delete(DEPLOYMENT);
    return copy;
  }
  headers.set(VERSION, origin.versionId);
  if (origin.deployment) headers.set(DEPLOYMENT, origin.deployment.deploymentId);
  else headers.delete(DEPLOYMENT);
  const { override } = origin;
  if (override.kind === "applied") headers.set(OVERRIDE, "applied");
  if (override.kind === "ignored") headers.set(OVERRIDE, `ignored; reason=${override.reason}`);
  return copy;
}

import type { CurrentDeployment } from "../domain/deployment.ts";
import type { Served } from "./assets/asset-server.ts";
import type { OverrideDecision } from "../domain/version-override.ts";

/** What an answer says about where it came from. */
export interface Origin {
  readonly versionId: string;
  readonly deployment: CurrentDeployment | null;
  readonly override: OverrideDecision;
  /** Milliseconds; 0: it is current. */
  readonly staleMs: number;
}

const VERSION = "x-switchback-version";
const DEPLOYMENT = "x-switchback-deployment";
/** The deployment's place in the Worker's history: a client that sees it fall has been sent back. */
const SEQUENCE = "x-switchback-sequence";
const OVERRIDE = "x-switchback-override";
/** Seconds, on answers of a gateway that cannot know what is current. */
const STALE = "x-switchback-stale";
const ERROR = "x-switchback-error";
/** The earlier version from which a file was taken that this one has not. */
const ASSET_FROM = "x-switchback-asset-from";
/** Written on every answer that says where it came from: what a Worker wrote there is gone. */
const ALWAYS_SET = [VERSION, DEPLOYMENT, SEQUENCE];
const SOMETIMES_SET = [OVERRIDE, STALE, ERROR, ASSET_FROM];
const OWN = [...ALWAYS_SET, ...SOMETIMES_SET];

/** The same for a static asset, and whose it is. */
export function ownAsset({ response, from }: Served, origin: Origin | null): Response {
  const answer = ownAnswer(response, origin);
  if (origin && from !== undefined) answer.headers.set(ASSET_FROM, from);
  return answer;
}

/**
 * A Worker's answer with the gateway's headers, or, without an origin, with none of them. Never reads the
 * body; a WebSocket stays one.
 */
export function ownAnswer(response: Response, origin: Origin | null): Response {
  if (!origin && !OWN.some((name) => response.headers.has(name))) return response;
  const copy = new Response(response.body, response);
  const { headers } = copy;
  // Each look at a header costs on the hot path: the usual ones are written over, unseen.
  const leftovers = origin?.deployment ? SOMETIMES_SET : OWN;
  for (const name of leftovers) headers.delete(name);
  if (!origin) return copy;
  headers.set(VERSION, origin.versionId);
  if (origin.deployment) {
    headers.set(DEPLOYMENT, origin.deployment.deploymentId);
    headers.set(SEQUENCE, String(origin.deployment.seq));
  }
  if (origin.staleMs > 0) headers.set(STALE, String(Math.ceil(origin.staleMs / 1000)));
  const { override } = origin;
  if (override.kind === "applied") headers.set(OVERRIDE, "applied");
  if (override.kind === "ignored") headers.set(OVERRIDE, `ignored; reason=${override.reason}`);
  return copy;
}

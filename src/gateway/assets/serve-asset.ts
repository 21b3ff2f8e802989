import type { GatewayParts } from "../gateway-parts.ts";
import { ControlPlaneUnavailable, messageOf, VersionLoadError } from "../gateway-errors.ts";
import { type Origin, ownAsset } from "../response-headers.ts";
import type { AssetSubject } from "./asset-server.ts";

/** What a visitor's request has been decided to be for. */
type Dispatch = AssetSubject & Origin;

/**
 * A visitor's request, if the version's static assets answer it; null when it is for the Worker. Answers that were given
 * before are given again at once.
 */
export function serveAsset(
  gateway: Pick<GatewayParts, "assets" | "identifyVersions">,
  request: Request,
  dispatch: Dispatch,
): Response | Promise<Response | null> | null {
  const { assets, identifyVersions } = gateway;
  if (assets.hasNone(dispatch.versionId)) return null;
  const key = keyOf(request, dispatch);
  const known = key === null ? null : assets.recall(key);
  return known ?? find(assets, request, dispatch, identifyVersions ? dispatch : null, key);
}

async function find(
  assets: GatewayParts["assets"],
  request: Request,
  dispatch: Dispatch,
  origin: Origin | null,
  key: string | null,
): Promise<Response | null> {
  const seq = dispatch.deployment?.seq ?? null;
  const served = await assets.serve({ ...dispatch, seq }, request).catch((error: unknown) => {
    if (error instanceof ControlPlaneUnavailable) throw error;
    throw new VersionLoadError(dispatch.versionId, messageOf(error));
  });
  if (served === null) return null;
  const response = ownAsset(served, origin);
  if (key !== null && served.file !== undefined) assets.remember(key, served.file, response);
  return response;
}

/** All that the answer depends on; null when it depends on more, or would be no use again. */
function keyOf(
  { method, url, headers }: Request,
  { versionId, deployment, override, staleMs }: Dispatch,
): string | null {
  if (method !== "GET" || staleMs > 0 || override.kind !== "none" || url.includes("?")) return null;
  if (headers.has("if-none-match") || headers.has("range") || headers.has("authorization"))
    return null;
  const mode = headers.get("sec-fetch-mode") === "navigate" ? "page" : "file";
  return `${versionId} ${deployment?.deploymentId ?? "preview"} ${mode} ${url}`;
}

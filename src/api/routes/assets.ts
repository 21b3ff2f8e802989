/** Uploads of static assets: a session for a list of files, then the files that are not stored yet. */
import { Hono } from "hono";
import {
  openAssetSession,
  startAssetSession,
  storeAssets,
  type AssetSession,
  type UploadedAsset,
} from "../../control/asset-session.ts";
import type { ControlContext } from "../../control/context.ts";
import { decideUploadManifest } from "../../domain/assets/upload-manifest.ts";
import { ASSET_MANIFEST_BYTES_MAX, ASSET_TOKEN_CHARS_MAX } from "../../domain/limits-assets.ts";
import type { ApiContext, ApiEnv, ContextFor } from "../api-env.ts";
import { readAssetParts, readWholeAsset } from "../asset-parts.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { newWorkerName } from "../find-worker.ts";
import { parseJson, readBytes } from "../read-body.ts";

/** Below `…/workers/scripts`. The Worker need not exist yet. */
export const assetSessionRoutes = new Hono<ApiEnv>().post(
  "/:name/assets-upload-session",
  async (c) => {
    accept(newWorkerName(c.req.param("name")));
    const bytes = accept(await readBytes(c.req.raw, ASSET_MANIFEST_BYTES_MAX));
    const body = accept(parseJson(bytes)) as { readonly manifest?: unknown } | null;
    const manifest = accept(decideUploadManifest(body?.manifest));
    const { token, buckets } = await startAssetSession(c.var.context, manifest);
    return success(c, { jwt: token, buckets });
  },
);

/**
 * Below `…/accounts/:accountId/workers/assets/upload`, ahead of authentication: what a client sends here is the token of
 * its session, in place of its API token.
 */
export const assetUploadRoutes = (contextFor: ContextFor) =>
  new Hono<ApiEnv>()
    .post("/", async (c) => {
      if (c.req.query("base64") !== "true")
        return refuseWith({ kind: "bad_request", detail: 'base64 has to be "true".' });
      const { context, session } = await sessionOf(c, contextFor);
      return store(c, context, session, accept(await readAssetParts(c.req.raw)));
    })
    .post("/:hash", async (c) => {
      const { context, session } = await sessionOf(c, contextFor);
      const asset = accept(await readWholeAsset(c.req.raw, c.req.param("hash").toLowerCase()));
      return store(c, context, session, [asset]);
    });

async function sessionOf(
  c: ApiContext,
  contextFor: ContextFor,
): Promise<{ readonly context: ControlContext; readonly session: AssetSession }> {
  const context = contextFor(c.env, c.executionCtx as unknown as ExecutionContext);
  const token = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1] ?? "";
  if (c.req.param("accountId") !== context.accountId || token.length > ASSET_TOKEN_CHARS_MAX)
    return refuseWith({
      kind: "asset_session_invalid",
      detail: "It is not one that this Switchback has given for this account.",
    });
  return { context, session: accept(await openAssetSession(context, token)) };
}

/** 202 while there is more to come, 201 with the token for the version when there is not. */
async function store(
  c: ApiContext,
  context: ControlContext,
  session: AssetSession,
  assets: readonly UploadedAsset[],
): Promise<Response> {
  const { token } = accept(await storeAssets(context, session, assets));
  c.status(token === null ? 202 : 201);
  return success(c, { jwt: token, buckets: [] });
}

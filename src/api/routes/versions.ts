/** `…/scripts/:name/versions`. A version is added and read; it never changes. */
import { Hono } from "hono";
import { deployableMaxOf } from "../../control/deployable-versions.ts";
import { uploadVersion } from "../../control/upload-version.ts";
import { decideUpload } from "../../domain/decide-upload.ts";
import { parseVersionId, type WorkerId } from "../../domain/ids.ts";
import {
  DEPLOYABLE_LIST_MAX,
  DEPLOYABLE_VERSIONS_MAX,
  VERSIONS_PAGE_DEFAULT,
} from "../../domain/limits.ts";
import type { Upload } from "../../domain/upload.ts";
import type { Version } from "../../domain/version.ts";
import type { Worker } from "../../domain/worker.ts";
import { countVersions, findVersion, listVersions, versionsBefore } from "../../store/versions.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, refuseWith, success, type ResultInfo } from "../envelope.ts";
import { workerNamed } from "../find-worker.ts";
import { flag, type Page, pageInfo, pageOf } from "../paging.ts";
import { readUpload } from "../read-upload.ts";
import { toWireVersion } from "../wire/version.ts";
import { isStrictInherit } from "./scripts.ts";

export const versionRoutes = new Hono<ApiEnv>()
  .get("/:name/versions", async (c) => {
    const worker = accept(await workerNamed(c.var.context, c.req.param("name")));
    const { versions, info } = await versionsPage(c, worker);
    return success(
      c,
      { items: versions.map((version) => toWireVersion(version, worker)) },
      { info },
    );
  })
  .post("/:name/versions", async (c) => {
    const worker = accept(await workerNamed(c.var.context, c.req.param("name")));
    const strictInherit = isStrictInherit(c);
    const upload = accept(await readUpload(c.req.raw));
    const { version, notices } = await storeUpload(c, worker, upload, strictInherit);
    return success(c, toWireVersion(version, worker), { notices });
  })
  .get("/:name/versions/:versionId", async (c) => {
    const worker = accept(await workerNamed(c.var.context, c.req.param("name")));
    const version = await versionOf(c, worker.id, c.req.param("versionId"));
    return success(c, toWireVersion(version, worker));
  });

/** The version that a path names; an id that can be none's is not found, like any other. */
export async function versionOf(c: ApiContext, workerId: WorkerId, text: string): Promise<Version> {
  const id = parseVersionId(text);
  const version = id && (await findVersion(c.var.context.db, workerId, id));
  return version ?? refuseWith({ kind: "version_not_found", versionId: text });
}

/** Newest first. `?deployable=true` has its own size of page: all that clients offer for a deployment at once. */
export async function versionsPage(
  c: ApiContext,
  worker: Worker,
): Promise<{ versions: Version[]; info: ResultInfo }> {
  const { db } = c.var.context;
  const total = await countVersions(db, worker.id);
  const asked = pageOf(c, VERSIONS_PAGE_DEFAULT);
  const page = flag(c, "deployable") ? deployablePage(c, worker, asked) : asked;
  const versions = await listVersions(db, worker.id, {
    beforeNumber: versionsBefore(total, page.page, page.perPage),
    limit: page.perPage,
  });
  return { versions, info: pageInfo(page, versions.length, total) };
}

/** Those that may be deployed, all at once: as many as the limit allows; where there is none, as Cloudflare. */
function deployablePage(c: ApiContext, worker: Worker, asked: Page): Page {
  const max = deployableMaxOf(c.env, worker);
  if (max === null) return { ...asked, perPage: DEPLOYABLE_VERSIONS_MAX };
  return { page: 1, perPage: Math.min(max, DEPLOYABLE_LIST_MAX), offset: 0 };
}

/** A version that exists now, and what was done otherwise than asked. */
export interface Uploaded {
  readonly version: Version;
  readonly notices: readonly string[];
}

/** Upload a version without deploying it, however it was sent; or end the handler with the refusal. */
export async function storeUpload(
  c: ApiContext,
  worker: Worker,
  upload: Upload,
  strictInherit: boolean,
): Promise<Uploaded> {
  const draft = accept(
    decideUpload(upload, {
      path: "version",
      workerName: worker.name,
      bindingStubs: c.var.config.bindingStubs,
    }),
  );
  const version = accept(
    await uploadVersion(c.var.context, worker, draft, {
      triggeredBy: "version_upload",
      strictInherit,
    }),
  );
  logChange(c, "version.upload", { worker: worker.name, version: version.id });
  return { version, notices: draft.notices };
}

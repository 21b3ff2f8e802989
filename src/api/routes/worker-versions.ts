/** The beta resource `…/workers/workers/:worker/versions`: versions as JSON, modules as base64. */
import { Hono } from "hono";
import * as z from "zod";
import { editLatestVersion } from "../../control/edit-latest-version.ts";
import { putScript } from "../../control/put-script.ts";
import { decideAnnotations } from "../../domain/annotations.ts";
import { decideBindings } from "../../domain/decide-bindings.ts";
import { decideUpload } from "../../domain/decide-upload.ts";
import { UPLOAD_BODY_BYTES_MAX, UPLOAD_PARTS_MAX } from "../../domain/limits.ts";
import { changeEnvironment } from "../../domain/secret-edit.ts";
import type { Upload } from "../../domain/upload.ts";
import type { Version } from "../../domain/version.ts";
import type { Worker } from "../../domain/worker.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { workerByIdOrName } from "../find-worker.ts";
import { contentTypeOf, fromBase64, toBase64 } from "../module-bytes.ts";
import { flag } from "../paging.ts";
import { parseJson, readBytes, readJson } from "../read-body.ts";
import { toBetaVersion, type WireModule } from "../wire/version.ts";
import { isStrictInherit, workerSettingsOf } from "./scripts.ts";
import { storeUpload, type Uploaded, versionOf, versionsPage } from "./versions.ts";

const versionBody = z.looseObject({
  modules: z
    .array(
      z.object({
        name: z.string(),
        content_type: z.string().default(""),
        content_base64: z.string(),
      }),
    )
    .max(UPLOAD_PARTS_MAX)
    .default([]),
});

/** A merge patch of the latest version; `null` takes a binding away. */
const latestPatch = z.strictObject({
  env: z.record(z.string(), z.looseObject({ type: z.string() }).nullable()).default({}),
  annotations: z.record(z.string(), z.unknown()).nullish(),
});

export const workerVersionRoutes = new Hono<ApiEnv>()
  .get("/:worker/versions", async (c) => {
    const worker = accept(await workerByIdOrName(c.var.context, c.req.param("worker")));
    const { versions, info } = await versionsPage(c, worker);
    const items = versions.map((version) => toBetaVersion(version, worker, c.var.config, null));
    return success(c, items, { info });
  })
  .post("/:worker/versions", async (c) => {
    const worker = accept(await workerByIdOrName(c.var.context, c.req.param("worker")));
    const options = { strictInherit: isStrictInherit(c), deploy: flag(c, "deploy") };
    const upload = await readJsonUpload(c.req.raw);
    const { version, notices } = options.deploy
      ? await deployUpload(c, worker, upload, options.strictInherit)
      : await storeUpload(c, worker, upload, options.strictInherit);
    return success(c, toBetaVersion(version, worker, c.var.config, null), { notices });
  })
  .get("/:worker/versions/:versionId", async (c) => {
    const worker = accept(await workerByIdOrName(c.var.context, c.req.param("worker")));
    const version = await versionOf(c, worker.id, c.req.param("versionId"));
    const modules = c.req.query("include") === "modules" ? await modulesOf(c, version) : null;
    return success(c, toBetaVersion(version, worker, c.var.config, modules));
  })
  .patch("/:worker/versions/latest", async (c) => {
    const { context, config } = c.var;
    const worker = accept(await workerByIdOrName(context, c.req.param("worker")));
    const { env, annotations } = accept(await readJson(c.req.raw, latestPatch));
    const entries = Object.entries(env);
    const given = entries.flatMap(([name, binding]) =>
      binding === null ? [] : [{ ...binding, name }],
    );
    const removed = entries.flatMap(([name, binding]) => (binding === null ? [name] : []));
    const decided = accept(decideBindings(given, { stubs: config.bindingStubs }));
    const renamed = decided.inherited.find(({ name, oldName }) => name !== oldName);
    if (renamed !== undefined)
      return refuseWith({
        kind: "not_supported",
        what: `Renaming the binding ${renamed.oldName} to ${renamed.name} by a patch`,
        instead: "Nothing was changed. Upload a version that inherits it under its new name.",
      });
    const said = accept(decideAnnotations(annotations, worker.name));
    const version = accept(
      await editLatestVersion(context, worker, (latest) => ({
        ok: true,
        value: {
          ...changeEnvironment(latest, { ...decided, removed }),
          annotations: said.annotations,
        },
      })),
    );
    logChange(c, "version.edit", { worker: worker.name, version: version.id });
    const { notices } = said;
    return success(c, toBetaVersion(version, worker, config, null), { notices });
  })
  .delete("/:worker/versions/:versionId", () =>
    refuseWith({
      kind: "not_supported",
      what: "Deleting a version",
      instead: "Leave it: a version that is not deployed serves no requests.",
    }),
  );

async function deployUpload(
  c: ApiContext,
  worker: Worker,
  upload: Upload,
  strictInherit: boolean,
): Promise<Uploaded> {
  const draft = accept(
    decideUpload(upload, {
      path: "script",
      workerName: worker.name,
      bindingStubs: c.var.config.bindingStubs,
    }),
  );
  const { version, deployment } = accept(
    await putScript(c.var.context, worker.name, draft, {
      strictInherit,
      versionsMax: c.var.config.deploymentVersionsMax,
      workerSettings: workerSettingsOf(draft, upload.metadata["tags"]),
    }),
  );
  logChange(c, "script.put", {
    worker: worker.name,
    version: version.id,
    deployment: deployment.id,
  });
  return { version, notices: draft.notices };
}

async function readJsonUpload(request: Request): Promise<Upload> {
  const bytes = accept(await readBytes(request, UPLOAD_BODY_BYTES_MAX));
  const parsed = versionBody.safeParse(accept(parseJson(bytes)));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const detail = `${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not understood"}`;
    return refuseWith({ kind: "bad_request", detail });
  }
  const { modules, ...metadata } = parsed.data;
  return {
    metadata,
    modules: modules.map(({ name, content_type, content_base64 }) => {
      const decoded = fromBase64(content_base64);
      if (decoded !== null) return { name, contentType: contentType(content_type), bytes: decoded };
      const detail = `The content_base64 of the module ${JSON.stringify(name.slice(0, 80))} is not base64.`;
      return refuseWith({ kind: "upload_invalid", detail });
    }),
  };
}

/** As multipart parts have it: without parameters, in lower case. */
const contentType = (text: string): string => (text.split(";")[0] ?? "").trim().toLowerCase();

async function modulesOf(c: ApiContext, version: Version): Promise<WireModule[]> {
  return Promise.all(
    version.modules.map(async ({ name, type, sha256 }) => {
      const bytes = await c.var.context.blobs.get(sha256);
      if (bytes === null) throw new Error(`the bytes of module ${sha256} are missing`);
      return { name, content_type: contentTypeOf(type), content_base64: toBase64(bytes) };
    }),
  );
}

/** `…/workers/scripts`: Workers as scripts with content. */
import { Hono } from "hono";
import { deleteWorker } from "../../control/delete-worker.ts";
import { putScript } from "../../control/put-script.ts";
import { decideUpload } from "../../domain/decide-upload.ts";
import { SCRIPTS_LIST_MAX } from "../../domain/limits.ts";
import type { VersionDraft } from "../../domain/upload.ts";
import type { ModuleRef, Version } from "../../domain/version.ts";
import { findClassReferrers } from "../../store/durable-namespaces.ts";
import { findServiceReferences } from "../../store/references.ts";
import { findLatestVersion, listLatestVersions } from "../../store/versions.ts";
import { countWorkers, listWorkers } from "../../store/workers.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { newWorkerName, workerNamed } from "../find-worker.ts";
import { contentTypeOf } from "../module-bytes.ts";
import { flag, pageInfo, pageOf } from "../paging.ts";
import { readUpload } from "../read-upload.ts";
import { scriptSettings, toSettings } from "../schemas.ts";
import { toWireReceipt } from "../wire/receipt.ts";
import { toWireScript, toWireUpload } from "../wire/script.ts";

export const scriptRoutes = new Hono<ApiEnv>()
  .get("/", async (c) => {
    const { db, accountId } = c.var.context;
    const page = pageOf(c, SCRIPTS_LIST_MAX, SCRIPTS_LIST_MAX);
    const { perPage: limit, offset } = page;
    const order = { order: "name", descending: false } as const;
    const workers = await listWorkers(db, accountId, { limit, offset, ...order });
    const latest = await listLatestVersions(
      db,
      workers.map((worker) => worker.id),
    );
    const info = pageInfo(page, workers.length, await countWorkers(db, accountId));
    const scripts = workers.map((worker) => toWireScript(worker, latest.get(worker.id) ?? null));
    return success(c, scripts, { info });
  })
  .put("/:name", async (c) => {
    const name = accept(newWorkerName(c.req.param("name")));
    const strictInherit = isStrictInherit(c);
    const upload = accept(await readUpload(c.req.raw));
    const draft = accept(
      decideUpload(upload, {
        path: "script",
        workerName: name,
        bindingStubs: c.var.config.bindingStubs,
      }),
    );
    const put = accept(
      await putScript(c.var.context, name, draft, {
        strictInherit,
        versionsMax: c.var.config.deploymentVersionsMax,
        workerSettings: workerSettingsOf(draft, upload.metadata["tags"]),
      }),
    );
    logChange(c, "script.put", {
      worker: name,
      version: put.version.id,
      deployment: put.deployment.id,
    });
    const result = {
      ...toWireUpload(put.worker, put.version),
      receipt: toWireReceipt(put.receipt),
    };
    return success(c, result, { notices: draft.notices });
  })
  .get("/:name", async (c) => {
    const main = await latestMain(c);
    const bytes = await blobOf(c, main.module);
    return c.body(bytes, 200, { "content-type": contentTypeOf(main.module.type), etag: main.etag });
  })
  .get("/:name/content/v2", async (c) => {
    const { version, module } = await latestMain(c);
    const form = new FormData();
    for (const ref of version.modules) {
      const type = contentTypeOf(ref.type);
      form.append(ref.name, new File([await blobOf(c, ref)], ref.name, { type }));
    }
    return new Response(form, { headers: { "cf-entrypoint": module.name } });
  })
  .delete("/:name", (c) => removeWorker(c))
  .get("/:name/references", async (c) => {
    const { context } = c.var;
    const worker = accept(await workerNamed(context, c.req.param("name")));
    const all = await findServiceReferences(context.db, context.accountId, null);
    const classes = await findClassReferrers(context.db, context.accountId, worker.id);
    const toWire = (service: string, name: string) => ({
      service,
      environment: "production",
      name,
    });
    return success(c, {
      services: {
        incoming: all
          .filter((reference) => reference.service === worker.name)
          .filter((reference) => reference.name !== worker.name)
          .map((reference) => toWire(reference.name, reference.binding)),
        outgoing: all
          .filter((reference) => reference.name === worker.name)
          .map((reference) => toWire(reference.service, reference.binding)),
        pages_function: false,
      },
      durable_objects: classes.map((reference) => ({
        ...toWire(reference.worker, reference.binding),
        durable_object_namespace_id: reference.namespaceId,
        durable_object_namespace_name: `${worker.name}_${reference.className}`,
      })),
      dispatch_outbounds: [],
    });
  });

/** `?bindings_inherit=strict` is the only value there is; without it, what cannot be inherited is left out. */
export function isStrictInherit(c: ApiContext): boolean {
  const mode = c.req.query("bindings_inherit") ?? "";
  if (mode === "" || mode === "strict") return mode === "strict";
  return refuseWith({ kind: "bad_request", detail: 'bindings_inherit has to be "strict".' });
}

/** Deleting goes by two paths, and means the same on both. */
export async function removeWorker(c: ApiContext): Promise<Response> {
  const { context } = c.var;
  const worker = accept(await workerNamed(context, c.req.param("name") ?? ""));
  accept(await deleteWorker(context, worker, { force: flag(c, "force") }));
  logChange(c, "worker.delete", { worker: worker.name, id: worker.id });
  return success(c, null);
}

/** What an upload says about the Worker rather than about the version. */
export function workerSettingsOf(
  { settings }: VersionDraft,
  tags: unknown,
): Readonly<Record<string, unknown>> {
  const parsed = scriptSettings.safeParse({ ...settings, tags });
  if (parsed.success) return toSettings(parsed.data);
  const issue = parsed.error.issues[0];
  const detail = `metadata.${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not understood"}`;
  return refuseWith({ kind: "bad_request", detail });
}

async function latestMain(
  c: ApiContext,
): Promise<{ version: Version; module: ModuleRef; etag: string }> {
  const { context } = c.var;
  const worker = accept(await workerNamed(context, c.req.param("name") ?? ""));
  const version = await findLatestVersion(context.db, worker.id);
  const module = version?.modules.find((candidate) => candidate.name === version.mainModule);
  if (!version || !module) return refuseWith({ kind: "worker_has_no_versions" });
  return { version, module, etag: `"${version.contentHash}"` };
}

async function blobOf(c: ApiContext, module: ModuleRef): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await c.var.context.blobs.get(module.sha256);
  if (bytes === null) throw new Error(`the bytes of module ${module.sha256} are missing`);
  return bytes as Uint8Array<ArrayBuffer>;
}

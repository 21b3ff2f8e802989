import type { Version } from "../../domain/version.ts";
import type { Worker } from "../../domain/worker.ts";
import type { ApiConfig } from "../api-env.ts";
import { previewUrl } from "./hosts.ts";
import { toWireTime } from "./time.ts";

export const toWireAnnotations = ({ annotations }: Version) => ({
  ...annotations.other,
  "workers/triggered_by": annotations.triggeredBy,
  ...(annotations.message === undefined ? {} : { "workers/message": annotations.message }),
  ...(annotations.tag === undefined ? {} : { "workers/tag": annotations.tag }),
  ...(annotations.alias === undefined ? {} : { "workers/alias": annotations.alias }),
});

/** The shape under `…/scripts/:name/versions`, for one version as in the list. */
export const toWireVersion = (version: Version, worker: Worker) => ({
  id: version.id,
  number: version.number,
  metadata: {
    created_on: toWireTime(version.createdOn),
    modified_on: toWireTime(version.createdOn),
    source: version.author.source,
    author_id: version.author.id,
    author_email: version.author.email,
    // wrangler reads the one, the SDK's types have the other.
    has_preview: worker.previewsEnabled,
    hasPreview: worker.previewsEnabled,
  },
  annotations: toWireAnnotations(version),
  resources: {
    bindings: version.bindings,
    script: {
      etag: version.contentHash,
      handlers: version.handlers,
      named_handlers: version.namedHandlers,
      last_deployed_from: version.author.source,
    },
    script_runtime: toWireRuntime(version),
  },
  startup_time_ms: version.startupTimeMs,
});

const toWireRuntime = ({ compatibilityDate, compatibilityFlags, settings, durable }: Version) => ({
  compatibility_date: compatibilityDate,
  compatibility_flags: compatibilityFlags,
  usage_model: settings["usage_model"] ?? "standard",
  ...(settings["limits"] === undefined ? {} : { limits: settings["limits"] }),
  ...(typeof durable?.tag === "string" ? { migration_tag: durable.tag } : {}),
});

/** The flatter shape under `…/workers/:id/versions`. `modules` only when they were asked for. */
export const toBetaVersion = (
  version: Version,
  worker: Worker,
  config: ApiConfig,
  modules: readonly WireModule[] | null,
) => ({
  ...version.settings,
  id: version.id,
  number: version.number,
  created_on: toWireTime(version.createdOn),
  urls: worker.previewsEnabled ? [previewUrl(config, worker.name, version.id.slice(0, 8))] : [],
  annotations: toWireAnnotations(version),
  bindings: version.bindings,
  compatibility_date: version.compatibilityDate,
  compatibility_flags: version.compatibilityFlags,
  main_module: version.mainModule,
  ...(modules === null ? {} : { modules }),
  source: version.author.source,
  startup_time_ms: version.startupTimeMs,
  usage_model: version.settings["usage_model"] ?? "standard",
});

export interface WireModule {
  readonly name: string;
  readonly content_type: string;
  readonly content_base64: string;
}

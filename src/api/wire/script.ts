import type { Version } from "../../domain/version.ts";
import type { Worker } from "../../domain/worker.ts";
import { toWireScriptSettings } from "./script-settings.ts";
import { toWireTime } from "./time.ts";

/** A script as lists and services show it; what a version says is missing until there is one. */
export const toWireScript = (worker: Worker, latest: Version | null) => ({
  id: worker.name,
  tag: worker.id,
  created_on: toWireTime(worker.createdOn),
  modified_on: toWireTime(worker.modifiedOn),
  usage_model: latest?.settings["usage_model"] ?? "standard",
  ...toWireScriptSettings(worker),
  ...(typeof worker.migrationTag === "string" ? { migration_tag: worker.migrationTag } : {}),
  has_assets: latest?.hasAssets ?? false,
  has_modules: latest?.syntax === "modules",
  ...(latest === null
    ? {}
    : {
        etag: latest.contentHash,
        handlers: latest.handlers,
        named_handlers: latest.namedHandlers,
        last_deployed_from: latest.author.source,
        compatibility_date: latest.compatibilityDate,
        compatibility_flags: latest.compatibilityFlags,
        deployment_id: latest.id,
      }),
});

/** `PUT …/scripts/:name`. `deployment_id` is the version's id, whatever it is called: wrangler prints it as such. */
export const toWireUpload = (worker: Worker, version: Version) => ({
  ...toWireScript(worker, version),
  startup_time_ms: version.startupTimeMs,
  entry_point: version.mainModule,
});

/** `GET …/services/:name`: a Worker has one environment. */
export const toWireService = (worker: Worker, latest: Version | null) => {
  const dates = {
    created_on: toWireTime(worker.createdOn),
    modified_on: toWireTime(worker.modifiedOn),
  };
  return {
    id: worker.name,
    ...dates,
    usage_model: "standard",
    default_environment: {
      environment: "production",
      ...dates,
      script: toWireScript(worker, latest),
    },
    environments: [{ environment: "production", ...dates }],
  };
};

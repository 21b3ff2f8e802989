/** What is wrong with an upload. Clients act on Cloudflare's codes here, and wrangler parses some texts. */
import type { ResourceKind, VersionResource } from "../domain/version-resources.ts";
import { bad, refusal, type Kind, type WireRefusal } from "./wire-refusal.ts";

type UploadError = Kind<
  | "upload_invalid"
  | "upload_too_large"
  | "start_failed"
  | "no_handlers"
  | "inherit_missing"
  | "inherit_version_id"
  | "binding_without_name"
  | "binding_value_too_large"
  | "too_many_bindings"
  | "service_worker_version"
  | "migration_in_version"
  | "resources_missing"
  | "binding_type_unsupported"
>;

const MIGRATION_IN_VERSION =
  "Version upload failed. You attempted to upload a version of a Worker that includes a Durable Object migration, but migrations must be fully applied via a non-versioned deployment. Refer to the documentation for more information.";

export function uploadRefusal(error: UploadError): WireRefusal {
  switch (error.kind) {
    case "upload_too_large":
      return refusal(
        413,
        10027,
        `The Worker's modules are ${error.bytes} bytes together; at most ${error.bytesMax} are allowed. Leave out what it does not need when it runs.`,
      );
    case "upload_invalid":
    case "start_failed":
      return bad(10021, error.detail);
    case "no_handlers":
      return bad(
        10068,
        "The uploaded script has no registered event handlers. Export a default object with a fetch handler, or a class.",
      );
    case "inherit_missing":
      // wrangler recognises this text and lists the names.
      return {
        status: 400,
        errors: error.names.map((name) => ({
          code: 10057,
          message: `inherit binding '${name}' is invalid, previous version does not have binding of that name`,
        })),
      };
    case "inherit_version_id":
      return bad(
        10057,
        `'version_id' value '${error.versionId}' is invalid, only the literal 'latest' is supported by this API`,
      );
    case "binding_without_name":
      return bad(10052, `Binding at index ${error.index} must have a name.`);
    case "binding_value_too_large":
      return bad(
        10054,
        `The value of the binding ${error.name} is larger than ${error.bytesMax} bytes. Keep large values in a module or in storage.`,
      );
    case "too_many_bindings":
      return bad(
        10055,
        `The version would have ${error.count} bindings; at most ${error.max} are allowed. Put several variables into one JSON variable.`,
      );
    case "service_worker_version":
      return bad(
        130010,
        "A version has to be in ES module syntax; this one is in service worker syntax. Export a default handler, or deploy it at once with wrangler deploy.",
      );
    case "migration_in_version":
      return bad(10211, MIGRATION_IN_VERSION);
    case "resources_missing":
      return { status: 400, errors: error.missing.map(missingResource) };
    case "binding_type_unsupported":
      return bad(
        130051,
        `The binding ${error.name} is of the type ${error.type}, which this Switchback cannot run: its calls would fail at run time. Take it out of the configuration, or let the operator allow such bindings (BINDING_STUBS; SWITCHBACK_BINDING_STUBS on one machine): they are then kept, and fail when they are used.`,
      );
  }
}

const RESOURCES: Readonly<
  Record<ResourceKind, { readonly code: number; readonly what: string; readonly remedy: string }>
> = {
  kv_namespace: {
    code: 10041,
    what: "KV namespace",
    remedy: "Create one (wrangler kv namespace create) and bind its id",
  },
  r2_bucket: {
    code: 10085,
    what: "R2 bucket",
    remedy: "Create it (wrangler r2 bucket create)",
  },
  d1: {
    code: 10181,
    what: "D1 database",
    remedy: "Create one (wrangler d1 create) and bind its id",
  },
  queue: { code: 11000, what: "queue", remedy: "Create it (wrangler queues create)" },
  durable_object_namespace: {
    code: 10061,
    what: "Durable Object class",
    remedy: "Deploy the Worker that has it, with a migration that makes it",
  },
  service: { code: 10144, what: "Worker", remedy: "Deploy that one first" },
};

function missingResource({ binding, kind, resourceId }: VersionResource) {
  const { code, what, remedy } = RESOURCES[kind];
  const name = JSON.stringify(resourceId.slice(0, 80));
  const message = `The binding ${binding} names the ${what} ${name}, which does not exist on your account. ${remedy}.`;
  return { code, message, meta: { binding, type: kind, resource: resourceId } };
}

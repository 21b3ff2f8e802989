/** What is wrong with Durable Object classes: Cloudflare's codes and texts where they are known. */
import { bad, refusal, type Kind, type WireRefusal } from "./wire-refusal.ts";

export type DurableError = Kind<
  | "migration_tag_moved"
  | "migration_between"
  | "durable_class_unknown"
  | "durable_class_taken"
  | "durable_class_not_exported"
  | "durable_binding_unknown"
  | "durable_class_still_bound"
  | "durable_class_bound"
  | "transfer_refused"
  | "transfer_overtaken"
  | "durable_namespace_not_found"
>;

export function durableRefusal(error: DurableError): WireRefusal {
  switch (error.kind) {
    case "migration_tag_moved":
      return refusal(
        412,
        10079,
        `Migration tag precondition failed; current tag is ${error.currentTag ?? "(none)"}. Somebody else has migrated the Worker's Durable Object classes. Look at what was deployed, then run wrangler deploy again.`,
      );
    case "migration_between":
      return refusal(400, 130055, betweenSentence(error), {
        version_id: error.versionId,
        migrations: error.migrations,
        classes: error.classes,
        version_tag: error.tag,
        current_tag: error.currentTag,
        nearest_version_id: error.nearest?.versionId ?? null,
        nearest_version_number: error.nearest?.number ?? null,
      });
    case "durable_class_unknown":
      return bad(
        10074,
        `Cannot apply ${error.migration} migration to class '${error.className}': the Worker has no such Durable Object class.`,
      );
    case "durable_class_taken":
      return bad(
        10074,
        `Cannot apply ${error.migration} migration to class '${error.className}' that is already depended on by existing Durable Objects.`,
      );
    case "durable_class_not_exported":
      return bad(
        10064,
        `New version of script does not export class '${error.className}' which is depended on by existing Durable Objects. If you want to delete the class's Durable Objects, use a delete-class migration (deleted_classes).`,
      );
    case "durable_binding_unknown":
      return bad(
        10061,
        `Cannot create binding for class '${error.className}'${error.script === null ? "" : ` of the Worker '${error.script}'`} because it is not currently configured to implement Durable Objects. ${error.script === null ? "Add it to a migration's new_sqlite_classes." : "Deploy that Worker first, with a migration that has it in new_sqlite_classes."} (The binding is ${error.binding}.)`,
      );
    case "durable_class_still_bound":
      return bad(
        10061,
        `Cannot apply --delete-class migration to class '${error.className}' without also removing the binding that references it. (It is ${error.binding}.)`,
      );
    case "durable_class_bound":
      return bad(
        10061,
        `Cannot apply --delete-class migration to class '${error.className}': other Workers are bound to it: ${error.users.map(({ worker, binding }) => `${worker} (${binding})`).join(", ")}. Deploy them without it first.`,
      );
    case "transfer_refused":
      return bad(
        10074,
        `Cannot apply transfer-class migration${error.className === "" ? "" : ` to class '${error.className}'`} from the Worker '${error.script}': ${TRANSFER_REFUSED[error.why]}`,
      );
    case "transfer_overtaken":
      return refusal(
        412,
        10074,
        `Cannot apply transfer-class migration to class '${error.className}': meanwhile it was deleted, or transferred to another Worker. GET …/workers/durable_objects/namespaces says whose it is.`,
      );
    case "durable_namespace_not_found":
      return refusal(
        404,
        130056,
        `There is no Durable Object namespace ${error.namespaceId}. GET …/workers/durable_objects/namespaces lists those there are.`,
      );
  }
}

function betweenSentence(error: Kind<"migration_between">): string {
  const { versionId, classes, migrations, nearest } = error;
  const what =
    migrations.length === 0
      ? `${tagged(error.tag)} and ${tagged(error.currentTag)}`
      : `the Durable Object migration${migrations.length === 1 ? "" : "s"} ${migrations.join(", ")}`;
  const between =
    migrations.length === 0
      ? `it was made for the classes of ${what.replace(" and ", ", and the Worker is at ")}`
      : `${what} lie${migrations.length === 1 ? "s" : ""} between it and what serves`;
  const of = classes.length === 0 ? "" : ` (class ${classes.join(", ")})`;
  const way =
    nearest === null
      ? "Upload its code anew with the classes that there are now, and deploy that."
      : `The nearest version that can be deployed is ${nearest.versionId} (number ${nearest.number}); or upload this one's code anew with the classes that there are now.`;
  return `The version ${versionId} cannot be deployed: ${between}${of}. A migration changes stored data, and cannot be undone by deploying another version, with or without force. Nothing was changed. ${way}`;
}

const TRANSFER_REFUSED = {
  no_worker: "there is no such Worker. Look at the from_script.",
  no_class:
    "it has no such Durable Object class. Look at the from: it is the class's name in that Worker, and a transfer takes place once.",
  own: "it is this very Worker. Use a rename-class migration (renamed_classes).",
  given: "this Worker has it already.",
} as const;

const tagged = (tag: string | null): string =>
  tag === null ? "no migration" : `the migration ${tag}`;

/** What an upload makes of its Worker's Durable Object classes, and which of them its bindings lead to. */
import type { Binding } from "../domain/binding.ts";
import {
  type Giver,
  giversOf,
  migrate,
  type Migrations,
  parseMigrations,
  removedClasses,
  stateKey,
  type DurableState,
  type VersionDurable,
} from "../domain/durable-migration.ts";
import { readDurableResource } from "../domain/durable-resource.ts";
import type { DomainError } from "../domain/errors.ts";
import { parseWorkerName } from "../domain/ids.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { VersionDraft } from "../domain/upload.ts";
import type { Worker } from "../domain/worker.ts";
import { findNamespaceOwners, type NamespaceOwner } from "../store/durable-state.ts";
import { findWorker } from "../store/workers.ts";
import type { ActingContext } from "./context.ts";
import { durableOf } from "./durable-facts.ts";
import type { Bound } from "./find-bound.ts";

export interface DurableUpload {
  /** All of the upload's, those to classes with the namespace that they lead to. */
  readonly bindings: readonly Binding[];
  readonly durable: VersionDurable;
}

/** Decided again under the lock, which refuses what has been overtaken. `bound`: where other Workers' classes are. */
export async function planDurable(
  context: ActingContext,
  worker: Worker,
  draft: Pick<VersionDraft, "migrations" | "settings">,
  bindings: readonly Binding[],
  bound: Bound,
): Promise<Result<DurableUpload, DomainError>> {
  if (Object.keys(draft.settings["exports"] ?? {}).length > 0)
    return err({
      kind: "not_supported",
      what: "Declaring Durable Object classes by exports",
      instead: "Declare them by migrations (new_sqlite_classes) instead.",
    });
  const { tag, classes } = await durableOf(
    context.db,
    await context.workerLock(worker.id).current(),
  );
  const before: DurableState = { tag, classes };
  let after = before;
  if (draft.migrations !== undefined) {
    const migrations = parseMigrations(draft.migrations);
    if (!migrations.ok) return migrations;
    const givers = await findGivers(context, worker, migrations.value);
    if (!givers.ok) return givers;
    const newId = () => context.newId().replaceAll("-", "");
    const migrated = migrate(before, migrations.value, newId, givers.value);
    if (!migrated.ok) return migrated;
    after = migrated.value;
  }
  const ids = bindings.flatMap(({ type, namespace_id: id }) =>
    type === "durable_object_namespace" && typeof id === "string" ? [id] : [],
  );
  const owners = await findNamespaceOwners(context.db, context.accountId, ids);
  const led: Binding[] = [];
  for (const binding of bindings) {
    if (binding.type !== "durable_object_namespace") {
      led.push(binding);
      continue;
    }
    const found = lead(binding, worker, before, after, bound);
    const followed = found.ok ? null : follow(binding, worker, owners);
    if (followed !== null) led.push(followed);
    else if (found.ok) led.push(found.value);
    else return found;
  }
  const base = draft.migrations === undefined ? null : stateKey(before);
  return ok({ bindings: led, durable: { ...after, base } });
}

/** The Workers from which classes are to be transferred, as far as they are there. */
async function findGivers(
  context: ActingContext,
  worker: Worker,
  migrations: Migrations,
): Promise<Result<ReadonlyMap<string, Giver>, DomainError>> {
  const givers = new Map<string, Giver>();
  for (const script of giversOf(migrations)) {
    if (script === worker.name)
      return err({ kind: "transfer_refused", className: "", script, why: "own" });
    const name = parseWorkerName(script);
    const found = name && (await findWorker(context.db, context.accountId, name));
    if (!found) continue;
    const current = await context.workerLock(found.id).current();
    const { classes } = await durableOf(context.db, current);
    givers.set(script, { workerId: found.id, classes });
  }
  return ok(givers);
}

/** An inherited binding whose class was renamed by another Worker, or went to one, names it as it is now. */
function follow(
  binding: Binding,
  worker: Worker,
  owners: ReadonlyMap<string, NamespaceOwner>,
): Binding | null {
  const owner = owners.get(String(binding["namespace_id"]));
  if (owner === undefined || owner.workerId === worker.id) return null;
  return { ...binding, script_name: owner.workerName, class_name: owner.className };
}

function lead(
  binding: Binding,
  worker: Worker,
  before: DurableState,
  after: DurableState,
  bound: Bound,
): Result<Binding, DomainError> {
  const className = String(binding["class_name"]);
  const script = binding["script_name"] ?? worker.name;
  if (script !== worker.name) {
    const { namespaceId } = readDurableResource(bound[binding.name] ?? "");
    return namespaceId === ""
      ? err({
          kind: "durable_binding_unknown",
          binding: binding.name,
          className,
          script: script as string,
        })
      : ok({ ...binding, namespace_id: namespaceId });
  }
  // An inherited binding names the class as it was called then.
  const found =
    after.classes.find((each) => each.className === className) ??
    after.classes.find((each) => each.namespaceId === binding["namespace_id"]);
  if (found !== undefined)
    return ok({ ...binding, class_name: found.className, namespace_id: found.namespaceId });
  const isDeleted = removedClasses(before, after).some((each) => each.className === className);
  return isDeleted
    ? err({ kind: "durable_class_still_bound", binding: binding.name, className })
    : err({ kind: "durable_binding_unknown", binding: binding.name, className, script: null });
}

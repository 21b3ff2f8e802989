/** What bindings lead to: refused while it is not there, since it would fail on every call; better now than at night. */
import type { Binding } from "../domain/binding.ts";
import type { DomainError } from "../domain/errors.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { versionResources, type VersionResource } from "../domain/version-resources.ts";
import type { Worker } from "../domain/worker.ts";
import { findResources } from "../store/resources.ts";
import type { ControlContext } from "./context.ts";

/** By binding name: where its resource is stored. See {@link findResources}. */
export type Bound = Readonly<Record<string, string>>;

type Context = Pick<ControlContext, "db" | "accountId">;

/** What of it is there now. */
export async function bindResources(
  context: Context,
  worker: Pick<Worker, "name">,
  bindings: readonly Binding[],
): Promise<{ readonly bound: Bound; readonly missing: readonly VersionResource[] }> {
  const wanted = versionResources(bindings, worker.name);
  const found = await findResources(context.db, context.accountId, wanted);
  return {
    bound: Object.fromEntries(found),
    missing: wanted.filter(({ binding }) => !found.has(binding)),
  };
}

/** All of it, or what is missing. A class of Durable Objects may be one that the upload itself makes, so it is not asked for here. */
export async function findBound(
  context: Context,
  worker: Pick<Worker, "name">,
  bindings: readonly Binding[],
): Promise<Result<Bound, DomainError>> {
  const { bound, missing } = await bindResources(context, worker, bindings);
  const refused = missing.filter(
    ({ kind, resourceId }) =>
      kind !== "durable_object_namespace" && !(kind === "service" && resourceId === worker.name),
  );
  return refused.length > 0 ? err({ kind: "resources_missing", missing: refused }) : ok(bound);
}

/** Make, rename and delete KV namespaces. */
import type { DomainError } from "../domain/errors.ts";
import type { KvNamespace } from "../domain/kv.ts";
import { KV_NAMESPACES_MAX } from "../domain/limits-kv.ts";
import { err, ok, type Result } from "../domain/result.ts";
import {
  countKvNamespaces,
  findKvNamespace,
  insertKvNamespace,
  markKvNamespaceDeleted,
  renameKvNamespace as renameStored,
  wasKvNamespaceDeleted,
} from "../store/kv-namespaces.ts";
import { findResourceReferrers } from "../store/resources.ts";
import { askStore } from "./ask-store.ts";
import { auditEntry } from "./audit-entry.ts";
import type { ActingContext, ControlContext } from "./context.ts";

/** `doing` begins Cloudflare's sentence: `get namespace: …`. */
export async function kvNamespaceById(
  context: Pick<ControlContext, "db" | "accountId">,
  id: string,
  doing: string,
): Promise<Result<KvNamespace, DomainError>> {
  const namespace = await findKvNamespace(context.db, context.accountId, id);
  return namespace ? ok(namespace) : err({ kind: "kv_namespace_not_found", doing });
}

export async function createKvNamespace(
  context: ActingContext,
  title: string,
): Promise<Result<KvNamespace, DomainError>> {
  const { db, accountId } = context;
  if ((await countKvNamespaces(db, accountId)) >= KV_NAMESPACES_MAX) {
    return err({ kind: "too_many_kv_namespaces", max: KV_NAMESPACES_MAX });
  }
  const id = context.newId().replaceAll("-", "");
  const entry = auditEntry(context, "kv_namespace.create", `kv_namespace:${id}`, { title });
  const isMade = await insertKvNamespace(db, accountId, { id, title }, entry);
  return isMade ? ok({ id, title }) : err({ kind: "kv_title_taken", doing: "create namespace" });
}

export async function renameKvNamespace(
  context: ActingContext,
  { id, title: before }: KvNamespace,
  title: string,
): Promise<Result<KvNamespace, DomainError>> {
  const details = { title, before };
  const entry = auditEntry(context, "kv_namespace.rename", `kv_namespace:${id}`, details);
  const isDone = await renameStored(context.db, context.accountId, { id, title }, entry);
  return isDone ? ok({ id, title }) : err({ kind: "kv_title_taken", doing: "rename namespace" });
}

/**
 * Delete a namespace with everything in it. Refused while current deployments are bound to it, unless forced.
 * Deleting again what could not be emptied the last time empties it.
 */
export async function deleteKvNamespace(
  context: ActingContext,
  id: string,
  { force }: { readonly force: boolean },
): Promise<Result<KvNamespace, DomainError>> {
  const { db, accountId } = context;
  const namespace = await findKvNamespace(db, accountId, id);
  if (namespace === null) {
    if (await wasKvNamespaceDeleted(db, accountId, id)) {
      const emptied = await empty(context, id);
      if (!emptied.ok) return emptied;
    }
    return err({ kind: "kv_namespace_not_found", doing: "delete namespace" });
  }
  const { title } = namespace;
  const users = force ? [] : await findResourceReferrers(db, accountId, "kv_namespace", id);
  if (users.length > 0) {
    return err({ kind: "resource_in_use", what: "KV namespace", name: title, users });
  }
  const entry = auditEntry(context, "kv_namespace.delete", `kv_namespace:${id}`, { title, force });
  await markKvNamespaceDeleted(db, accountId, id, entry);
  const emptied = await empty(context, id);
  return emptied.ok ? ok(namespace) : emptied;
}

const empty = (context: ActingContext, id: string) =>
  askStore("KV", { idempotent: true }, () => context.stores.KvStore.destroy(id));

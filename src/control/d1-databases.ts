/** Make and delete D1 databases, and run SQL in them. */
import type { D1Database, D1Settings } from "../domain/d1-database.ts";
import { isD1Name, type D1Query, type D1Result, type D1Size } from "../domain/d1.ts";
import type { DomainError } from "../domain/errors.ts";
import { D1_DATABASES_MAX, D1_RETRY_MS_MAX } from "../domain/limits-d1.ts";
import { err, ok, type Result } from "../domain/result.ts";
import {
  countD1Databases,
  findD1Database,
  insertD1Database,
  markD1DatabaseDeleted,
  wasD1DatabaseDeleted,
} from "../store/d1-databases.ts";
import { findResourceReferrers } from "../store/resources.ts";
import { askStore } from "./ask-store.ts";
import { auditEntry } from "./audit-entry.ts";
import type { ActingContext, ControlContext } from "./context.ts";

/** By id or name. */
export async function d1Database(
  { db, accountId }: Pick<ControlContext, "db" | "accountId">,
  idOrName: string,
): Promise<Result<D1Database, DomainError>> {
  const database = await findD1Database(db, accountId, idOrName);
  return database ? ok(database) : err({ kind: "d1_not_found", database: idOrName });
}

export async function createD1Database(
  context: ActingContext,
  name: string,
  settings: D1Settings,
): Promise<Result<D1Database, DomainError>> {
  const { db, accountId } = context;
  if (!isD1Name(name)) return err({ kind: "d1_bad_name", name });
  if ((await countD1Databases(db, accountId)) >= D1_DATABASES_MAX) {
    return err({ kind: "too_many_d1_databases", max: D1_DATABASES_MAX });
  }
  const id = context.newId();
  const entry = auditEntry(context, "d1_database.create", `d1_database:${id}`, { name });
  const database: D1Database = { id, name, createdOn: entry.at, settings };
  const isMade = await insertD1Database(db, accountId, database, entry);
  return isMade ? ok(database) : err({ kind: "d1_name_taken", name });
}

/**
 * Delete a database with everything in it. Refused while current deployments are bound to it, unless forced.
 * Deleting again what could not be erased the last time erases it.
 */
export async function deleteD1Database(
  context: ActingContext,
  idOrName: string,
  { force }: { readonly force: boolean },
): Promise<Result<D1Database, DomainError>> {
  const { db, accountId } = context;
  const database = await findD1Database(db, accountId, idOrName);
  if (database === null) {
    if (await wasD1DatabaseDeleted(db, accountId, idOrName)) {
      const erased = await erase(context, idOrName);
      if (!erased.ok) return erased;
    }
    return err({ kind: "d1_not_found", database: idOrName });
  }
  const { id, name } = database;
  const users = force ? [] : await findResourceReferrers(db, accountId, "d1", id);
  if (users.length > 0) return err({ kind: "resource_in_use", what: "D1 database", name, users });
  const entry = auditEntry(context, "d1_database.delete", `d1_database:${id}`, { name, force });
  await markD1DatabaseDeleted(db, accountId, id, entry);
  const erased = await erase(context, id);
  return erased.ok ? ok(database) : erased;
}

/** Runs statements as one transaction. */
export async function runD1Queries(
  context: Pick<ControlContext, "stores">,
  databaseId: string,
  queries: readonly D1Query[],
  { idempotent }: { readonly idempotent: boolean },
): Promise<Result<readonly D1Result[], DomainError>> {
  const store = context.stores.D1Store;
  const door = { name: "D1Store", ping: () => store.ping() };
  const asked = await askStore("D1", { idempotent, retryMsMax: D1_RETRY_MS_MAX, door }, () =>
    store.query(databaseId, { queries, session: false }),
  );
  if (!asked.ok) return err({ kind: "d1_outcome_unknown" });
  const answer = asked.value;
  return answer.ok ? ok(answer.results) : err({ kind: "d1_query_failed", detail: answer.error });
}

export const d1Size = (
  context: Pick<ControlContext, "stores">,
  databaseId: string,
): Promise<Result<D1Size, DomainError>> =>
  askStore("D1", { idempotent: true }, () => context.stores.D1Store.size(databaseId));

const erase = (context: ActingContext, id: string) =>
  askStore("D1", { idempotent: true }, () => context.stores.D1Store.erase(id));

/**
 * Files of SQL into a database and out of it. Both may take longer than anybody waits for one answer, so clients ask
 * again until they hear of the end: the import or export goes on behind the answers.
 */
import type { D1Database } from "../domain/d1-database.ts";
import type { D1DumpOptions, D1ImportState } from "../domain/d1.ts";
import type { DomainError } from "../domain/errors.ts";
import {
  D1_FILE_SETTLE_MS,
  D1_LINK_MS,
  D1_POLL_MS_MAX,
  D1_POLL_PAUSE_MS,
} from "../domain/limits-d1.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { logEvent } from "../observability/log.ts";
import type { D1File } from "../store/d1-files.ts";
import { auditStatement } from "../store/audit.ts";
import { askStore } from "./ask-store.ts";
import { auditEntry } from "./audit-entry.ts";
import type { ActingContext } from "./context.ts";

/** Keeps work going after the answer. */
export type Behind = (work: Promise<unknown>) => void;

/** `link` leads to the file, when it is complete. */
export type ExportProgress =
  | { readonly status: "active" }
  | { readonly status: "complete"; readonly file: string; readonly link: string }
  | { readonly status: "failed"; readonly error: string };

const INTERRUPTED: { readonly status: "failed"; readonly error: string } = {
  status: "failed",
  error: "It was interrupted, and nothing of it was done. Start it again.",
};

const importFile = (databaseId: string, name: string) => `imports/${databaseId}/${name}`;
const exportFile = (databaseId: string, id: string) => `exports/${databaseId}/${id}.sql`;
const nameOf = (file: string): string => file.slice(file.lastIndexOf("/") + 1);

/** A link to upload a file with that MD5 (hex), and the name by which the import asks for it. */
export async function beginImport(
  context: ActingContext,
  { id }: D1Database,
  md5: string,
): Promise<{ readonly file: string; readonly link: string }> {
  await context.d1Files.sweep(context.now());
  const file = importFile(id, `${context.newId()}.sql`);
  const until = context.now() + D1_LINK_MS;
  const link = await context.d1Links.sign({ operation: "upload", file, md5, until });
  return { file: nameOf(file), link };
}

/** Runs an uploaded file. `id` finds the import again. */
export async function runImport(
  context: ActingContext,
  database: D1Database,
  name: string,
  behind: Behind,
): Promise<Result<{ readonly id: string; readonly progress: D1ImportState }, DomainError>> {
  const path = importFile(database.id, name);
  const file = await context.d1Files.open(path);
  if (file === null) return err({ kind: "d1_file_not_found", file: name });
  const id = context.newId();
  const entry = auditEntry(context, "d1_database.import", `d1_database:${database.id}`, {
    name: database.name,
    bytes: file.bytes,
  });
  await auditStatement(context.db, context.accountId, entry);
  const work = importing(context, database.id, id, file, path);
  behind(work);
  return ok({ id, progress: await within(work) });
}

/** How an import stands. Waits a while for its end. */
export async function importProgress(
  context: ActingContext,
  database: D1Database,
  id: string,
): Promise<Result<D1ImportState, DomainError>> {
  const deadline = context.now() + D1_POLL_MS_MAX;
  for (;;) {
    const asked = await within(
      askStore("D1", { idempotent: true }, () =>
        context.stores.D1Store.importState(database.id, id),
      ),
    );
    if ("status" in asked) return ok(asked);
    if (!asked.ok) return asked;
    if (asked.value.status === "unknown") return ok(INTERRUPTED);
    if (asked.value.status !== "active" || context.now() >= deadline) return asked;
    await scheduler.wait(D1_POLL_PAUSE_MS);
  }
}

/** Writes a database into a file. `id` finds the export again. */
export async function beginExport(
  context: ActingContext,
  database: D1Database,
  options: D1DumpOptions,
  behind: Behind,
): Promise<Result<{ readonly id: string; readonly progress: ExportProgress }, DomainError>> {
  await context.d1Files.sweep(context.now());
  const asked = await askStore("D1", { idempotent: true }, () =>
    context.stores.D1Store.dump(database.id, options),
  );
  if (!asked.ok) return asked;
  const dump = asked.value;
  if (!dump.ok) return err({ kind: "d1_query_failed", detail: dump.error });
  const id = context.newId();
  const work = context.d1Files
    .save(exportFile(database.id, id), dump.sql)
    .then(
      () => exported(context, database.id, id),
      (error: unknown): ExportProgress => {
        logEvent("error", "d1_export_failed", { database: database.id, error: String(error) });
        return INTERRUPTED;
      },
    )
    // What an answer brings along is held in the other process until it is let go.
    .finally(() => (dump as Partial<Disposable>)[Symbol.dispose]?.());
  behind(work);
  return ok({ id, progress: await within(work) });
}

/** How an export stands. Waits a while for its end. */
export async function exportProgress(
  context: ActingContext,
  { id: databaseId }: D1Database,
  id: string,
): Promise<Result<ExportProgress, DomainError>> {
  const startedAt = context.now();
  let aloneSince: number | null = null;
  for (;;) {
    const dumping = await askStore("D1", { idempotent: true }, () =>
      context.stores.D1Store.isDumping(databaseId),
    );
    if (!dumping.ok) return dumping;
    if (await context.d1Files.has(exportFile(databaseId, id))) {
      return ok(await exported(context, databaseId, id));
    }
    const now = context.now();
    aloneSince = dumping.value ? null : (aloneSince ?? now);
    // Whoever read it may still be storing the last of it.
    if (aloneSince !== null && now - aloneSince > D1_FILE_SETTLE_MS) return ok(INTERRUPTED);
    if (now - startedAt > D1_POLL_MS_MAX) return ok({ status: "active" });
    await scheduler.wait(D1_POLL_PAUSE_MS);
  }
}

async function importing(
  context: ActingContext,
  databaseId: string,
  id: string,
  file: D1File,
  path: string,
): Promise<D1ImportState> {
  try {
    return await context.stores.D1Store.importSql(databaseId, id, file.body, file.bytes);
  } catch (error) {
    logEvent("error", "d1_import_failed", { database: databaseId, error: String(error) });
    return INTERRUPTED;
  } finally {
    await context.d1Files.delete(path);
  }
}

async function exported(
  context: ActingContext,
  databaseId: string,
  id: string,
): Promise<ExportProgress> {
  const file = exportFile(databaseId, id);
  const until = context.now() + D1_LINK_MS;
  const link = await context.d1Links.sign({ operation: "download", file, md5: "", until });
  return { status: "complete", file: nameOf(file), link };
}

const within = <T>(work: Promise<T>): Promise<T | { readonly status: "active" }> =>
  Promise.race([work, scheduler.wait(D1_POLL_MS_MAX).then(() => ({ status: "active" }) as const)]);

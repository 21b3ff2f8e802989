import { DurableObject } from "cloudflare:workers";
import { ERASE_OBJECTS_MAX } from "../../domain/limits-durable.ts";
import { logEvent } from "../../observability/log.ts";
import { hostsOf } from "./object-host-calls.ts";
import type { ObjectsPage } from "./objects-directory.ts";

/** An object whose erasing failed is looked at again after this long, in milliseconds. */
const ERASE_RETRY_MS = 5_000;

/**
 * Which objects a namespace has, so that they can be listed and erased; they are beside it, in the same storage. The
 * object's name is the namespace's id.
 */
export class NamespaceIndex extends DurableObject<Env> {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#sql.exec("CREATE TABLE IF NOT EXISTS objects (id TEXT PRIMARY KEY) WITHOUT ROWID");
    this.#sql.exec("CREATE TABLE IF NOT EXISTS erasing (id INTEGER PRIMARY KEY CHECK (id = 1))");
  }

  /** Before an object runs for the first time. False: the namespace is being erased, and it may not run. */
  add(objectId: string): boolean {
    if (this.#isErasing) return false;
    this.#sql.exec("INSERT OR IGNORE INTO objects (id) VALUES (?)", objectId);
    return true;
  }

  list(after: string, limit: number): ObjectsPage {
    const rows = this.#sql
      .exec<{ id: string }>(
        "SELECT id FROM objects WHERE id > ? ORDER BY id LIMIT ?",
        after,
        limit + 1,
      )
      .toArray();
    return { objectIds: rows.slice(0, limit).map(({ id }) => id), more: rows.length > limit };
  }

  /** Erases every object. The alarm does it, however long it takes and whatever ends the process meanwhile. */
  async erase(): Promise<void> {
    this.#sql.exec("INSERT OR IGNORE INTO erasing (id) VALUES (1)");
    await this.ctx.storage.setAlarm(Date.now());
  }

  override async alarm(): Promise<void> {
    if (!this.#isErasing) return;
    const { objectIds } = this.list("", ERASE_OBJECTS_MAX);
    const hosts = hostsOf(this.env);
    const namespaceId = this.ctx.id.name ?? "";
    try {
      for (const objectId of objectIds) {
        await hosts.getByName(`${namespaceId}:${objectId}`).erase();
        this.#sql.exec("DELETE FROM objects WHERE id = ?", objectId);
      }
    } catch (error) {
      logEvent("warn", "object_not_erased", { namespace: namespaceId, error: String(error) });
      await this.ctx.storage.setAlarm(Date.now() + ERASE_RETRY_MS);
      return;
    }
    // What says that it is being erased stays, a few bytes: a call that was on its way could bring an object back.
    if (objectIds.length > 0) await this.ctx.storage.setAlarm(Date.now());
  }

  get #isErasing(): boolean {
    return this.#sql.exec("SELECT id FROM erasing").toArray().length > 0;
  }
}

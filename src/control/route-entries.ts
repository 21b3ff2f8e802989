/** The route table in an object's own storage: one row an entry, since the whole in one would pass the size of a row. */
import type { CustomDomain, Route, RouteTable, WorkerHost } from "../domain/route-table.ts";
import type { RoutingDiff } from "../domain/routing-diff.ts";
import { IDEMPOTENCY_KEEP_MS } from "../domain/limits.ts";

type EntryKind = "worker" | "route" | "domain";

export class RouteEntries {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS entries (kind TEXT NOT NULL, id TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (kind, id))",
    );
    sql.exec(
      "CREATE TABLE IF NOT EXISTS changes (id TEXT PRIMARY KEY, diff TEXT NOT NULL, at INTEGER NOT NULL)",
    );
  }

  read(): RouteTable {
    const all = <T>(kind: EntryKind): T[] =>
      this.#sql
        .exec<{ entry: string }>("SELECT entry FROM entries WHERE kind = ?", kind)
        .toArray()
        .map((row) => JSON.parse(row.entry) as T);
    return {
      workers: all<WorkerHost>("worker"),
      routes: all<Route>("route"),
      domains: all<CustomDomain>("domain"),
    };
  }

  /** Within a transaction of the caller. */
  apply(diff: RoutingDiff): void {
    for (const worker of diff.removeWorkers) this.#remove("worker", worker.workerId);
    for (const id of diff.removeRoutes) this.#remove("route", id);
    for (const id of diff.removeDomains) this.#remove("domain", id);
    for (const worker of diff.putWorkers) this.#put("worker", worker.workerId, worker);
    for (const route of diff.putRoutes) this.#put("route", route.id, route);
    for (const domain of diff.putDomains) this.#put("domain", domain.id, domain);
  }

  /** So that a caller whose answer was lost finds what became of its change. */
  rememberChange(id: string, diff: RoutingDiff, at: number): void {
    this.#sql.exec("DELETE FROM changes WHERE at < ?", at - IDEMPOTENCY_KEEP_MS);
    this.#sql.exec(
      "INSERT OR REPLACE INTO changes (id, diff, at) VALUES (?, ?, ?)",
      id,
      JSON.stringify(diff),
      at,
    );
  }

  changeDone(id: string): RoutingDiff | null {
    const row = this.#sql
      .exec<{ diff: string }>("SELECT diff FROM changes WHERE id = ?", id)
      .toArray()[0];
    return row === undefined ? null : (JSON.parse(row.diff) as RoutingDiff);
  }

  #remove(kind: EntryKind, id: string): void {
    this.#sql.exec("DELETE FROM entries WHERE kind = ? AND id = ?", kind, id);
  }

  #put(kind: EntryKind, id: string, entry: unknown): void {
    this.#sql.exec(
      "INSERT OR REPLACE INTO entries (kind, id, entry) VALUES (?, ?, ?)",
      kind,
      id,
      JSON.stringify(entry),
    );
  }
}

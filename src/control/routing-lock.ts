/**
 * The register of the route table: every change of routes, domains and hosts happens here, one at a time,
 * and becomes visible as one. The object keeps the table itself, so that a reader who is shown change n
 * gets exactly the table of change n.
 */
import { DurableObject } from "cloudflare:workers";
import type { DomainError } from "../domain/errors.ts";
import { ok, type Result } from "../domain/result.ts";
import type { RouteTable } from "../domain/route-table.ts";
import { decideRouting, type RoutingCommand } from "../domain/routing-change.ts";
import {
  applyRoutingDiff,
  invertRoutingDiff,
  NO_CHANGE,
  type RoutingDiff,
} from "../domain/routing-diff.ts";
import type { Author } from "../domain/version.ts";
import { openDatabase, type Database } from "../store/database.ts";
import { commitRouting, listZones, loadRouteTable } from "../store/routing.ts";
import { accountIdOf, controlHostsOf } from "./config.ts";
import { DurableRegister, type LedgerHooks } from "./durable-register.ts";

interface RoutingChange {
  readonly diff: RoutingDiff;
  readonly at: number;
  readonly actor: Author;
  readonly action: string;
}

export class RoutingLock extends DurableObject<Env> {
  readonly #db: Database;
  readonly #register: DurableRegister<RoutingChange>;
  #table: RouteTable;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#db = openDatabase(env.DB);
    // One row an entry: the whole table in one would pass the size of a row.
    ctx.storage.sql.exec(
      `CREATE TABLE IF NOT EXISTS entries
       (kind TEXT NOT NULL, id TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (kind, id))`,
    );
    this.#table = this.#readEntries();
    this.#register = new DurableRegister(ctx.storage, this.#ledger(), env.FAULT_POINT);
    if (this.#register.isNew) {
      void ctx.blockConcurrencyWhile(async () => {
        const accountId = accountIdOf(env);
        const table = await loadRouteTable(this.#db, accountId);
        // Numbered by the clock, so that a gateway which still knows an earlier life of this object's
        // storage never takes a new table for one that it has.
        const seq = Date.now();
        ctx.storage.transactionSync(() => {
          this.#writeEntries(table, NO_REMOVALS);
          this.#register.adopt({
            visible: { seq, value: { diff: NO_CHANGE, at: seq, actor: NOBODY, action: "routing.adopt" } },
            pending: null,
            nextSeq: seq + 1,
            settledSeq: seq,
          });
        });
        this.#table = table;
      });
    }
  }

  /** The table's sequence number, and the table unless the caller has it already. Linearizable. */
  table(knownSeq: number): { seq: number; table?: RouteTable } {
    const seq = this.#register.visible?.seq ?? 0;
    return seq === knownSeq ? { seq } : { seq, table: this.#table };
  }

  /** Change the table. When it returns a difference, every later request is routed by the new table. */
  async change(command: RoutingCommand, actor: Author): Promise<Result<RoutingDiff, DomainError>> {
    const done = await this.#register.serialize(() => this.#change(command, actor));
    return done.ok ? done.value : done;
  }

  override async alarm(): Promise<void> {
    await this.#register.onAlarm();
  }

  async #change(command: RoutingCommand, actor: Author): Promise<Result<RoutingDiff, DomainError>> {
    const recovered = await this.#register.recover();
    if (!recovered.ok) return recovered;
    const zones = await listZones(this.#db, accountIdOf(this.env));
    const decided = decideRouting(
      { table: this.#table, zones, controlHosts: controlHostsOf(this.env) },
      command,
      newHexId,
    );
    if (!decided.ok) return decided;
    const change = { diff: decided.value, at: Date.now(), actor, action: `routing.${command.kind}` };
    const changed = await this.#register.change(crypto.randomUUID(), change);
    return changed.ok ? ok(decided.value) : changed;
  }

  #ledger(): LedgerHooks<RoutingChange> {
    return {
      commit: async ({ value: { diff, at, actor, action }, intentId }) => {
        await commitRouting(this.#db, accountIdOf(this.env), diff, at, {
          id: intentId,
          at,
          actorId: actor.id,
          actorEmail: actor.email,
          action,
          target: "routing",
          details: { ...diff },
        });
        return true;
      },
      // The ledger holds the table itself, not a history of it: nothing is left to say.
      activate: async () => {},
      // A write that was given up may have arrived all the same: put back what this object knows.
      abort: async ({ value: { diff, at, actor }, intentId }) =>
        commitRouting(this.#db, accountIdOf(this.env), invertRoutingDiff(this.#table, diff, at), at, {
          id: `${intentId}:undo`,
          at,
          actorId: actor.id,
          actorEmail: actor.email,
          action: "routing.undo",
          target: "routing",
          details: { undone: intentId },
        }),
      flipped: ({ diff }) => {
        this.#table = applyRoutingDiff(this.#table, diff);
        this.#writeEntries(
          { workers: diff.putWorkers, routes: diff.putRoutes, domains: diff.putDomains },
          {
            worker: diff.removeWorkers.map((worker) => worker.workerId),
            route: diff.removeRoutes,
            domain: diff.removeDomains,
          },
        );
      },
      abandoned: () => {},
    };
  }

  #readEntries(): RouteTable {
    const all = <T>(kind: string): T[] =>
      this.ctx.storage.sql
        .exec<{ entry: string }>("SELECT entry FROM entries WHERE kind = ?", kind)
        .toArray()
        .map((row) => JSON.parse(row.entry) as T);
    return { workers: all("worker"), routes: all("route"), domains: all("domain") };
  }

  #writeEntries(put: RouteTable, remove: Record<EntryKind, readonly string[]>): void {
    const { sql } = this.ctx.storage;
    for (const kind of ["worker", "route", "domain"] as const) {
      for (const id of remove[kind]) {
        sql.exec("DELETE FROM entries WHERE kind = ? AND id = ?", kind, id);
      }
    }
    const write = (kind: EntryKind, id: string, entry: unknown) =>
      sql.exec(
        "INSERT OR REPLACE INTO entries (kind, id, entry) VALUES (?, ?, ?)",
        kind,
        id,
        JSON.stringify(entry),
      );
    for (const worker of put.workers) write("worker", worker.workerId, worker);
    for (const route of put.routes) write("route", route.id, route);
    for (const domain of put.domains) write("domain", domain.id, domain);
  }
}

type EntryKind = "worker" | "route" | "domain";
const NOBODY: Author = { id: "switchback", email: "", source: "switchback" };
const NO_REMOVALS: Record<EntryKind, readonly string[]> = { worker: [], route: [], domain: [] };

const newHexId = (): string => crypto.randomUUID().replaceAll("-", "");

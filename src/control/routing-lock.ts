/**
 * The register of the route table: every change of routes, domains and hosts happens here, one at a time,
 * and becomes visible as one, once no gateway holds a lease on the table before it. The object keeps the table
 * itself, so that a reader who is shown change n gets exactly the table of change n.
 */
import { DurableObject } from "cloudflare:workers";
import type { DomainError } from "../domain/errors.ts";
import type { WorkerId } from "../domain/ids.ts";
import type { Grant } from "../domain/lease.ts";
import type { Coverage } from "../domain/receipt.ts";
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
import { activateRouting, commitRouting, listZones, loadRouteTable } from "../store/routing.ts";
import { accountIdOf, controlHostsOf, leaseSkewMsOf, leaseTermsOf } from "./config.ts";
import type { Progress } from "./drive.ts";
import { DurableRegister, type LedgerHooks } from "./durable-register.ts";
import { RouteEntries } from "./route-entries.ts";

interface RoutingChange {
  /** The caller's id for it: a call that is made again finds the same change. */
  readonly id: string;
  readonly diff: RoutingDiff;
  readonly at: number;
  readonly actor: Author;
  readonly action: string;
}

export interface RoutingRequest {
  readonly id: string;
  readonly command: RoutingCommand;
  readonly actor: Author;
}

export type RoutingProgress = Progress<
  | { readonly state: "refused"; readonly error: DomainError }
  | { readonly state: "visible"; readonly diff: RoutingDiff }
>;

/** A gateway's answer; without `table` when it has that one already. */
export interface RoutingLease {
  readonly grant: Grant;
  readonly seq: number;
  readonly table?: RouteTable;
}

const NOBODY: Author = { id: "switchback", email: "", source: "switchback" };

export class RoutingLock extends DurableObject<Env> {
  readonly #db: Database;
  readonly #register: DurableRegister<RoutingChange>;
  readonly #entries: RouteEntries;
  #table: RouteTable;
  /** The last change that was given up, for whoever still asks about it. */
  #givenUp: { readonly id: string; readonly error: DomainError } | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#db = openDatabase(env.DB);
    this.#entries = new RouteEntries(ctx.storage.sql);
    this.#table = this.#entries.read();
    this.#register = new DurableRegister(
      ctx.storage,
      this.#ledger(),
      { terms: () => leaseTermsOf(env), skewMs: leaseSkewMsOf(env) },
      env.FAULT_POINT,
    );
    if (this.#register.isNew) void ctx.blockConcurrencyWhile(() => this.#adoptLedger());
  }

  /** The table's sequence number, and the table unless the caller has it already. Linearizable. */
  table(knownSeq: number): { seq: number; table?: RouteTable } {
    const seq = this.#register.visible?.seq ?? 0;
    return seq === knownSeq ? { seq } : { seq, table: this.#table };
  }

  /** {@link table} under a lease. */
  lease(knownSeq: number): RoutingLease {
    const grant = this.#register.lease();
    return { grant, ...this.table(knownSeq) };
  }

  /** Begin a change, when its turn comes. Beginning the same one again tells how far it is. */
  async begin(request: RoutingRequest): Promise<RoutingProgress> {
    const known = this.#progress(request.id);
    if (known !== null) return known;
    if (this.#register.isAborting) {
      await this.#register.exclusively(() => this.#register.push()).catch(() => undefined);
      if (this.#register.isAborting) return refused({ kind: "ledger_unavailable" });
    }
    const turn = await this.#register.turns.enter(false, Date.now());
    if (!turn.ok) return refused(turn.error);
    return this.#register.exclusively(() => this.#begin(request));
  }

  /** Carry a begun change on, as far as it can go now. */
  async confirm(id: string): Promise<RoutingProgress> {
    await this.#register.exclusively(() => this.#register.push());
    return this.#progress(id) ?? refused({ kind: "outcome_unknown", waitedMs: null });
  }

  /** What a Worker's register is read by. */
  coverage(workerId: WorkerId): Coverage {
    const worker = this.#table.workers.find((host) => host.workerId === workerId);
    const isOwn = (entry: { readonly workerId: WorkerId | null }) => entry.workerId === workerId;
    return {
      workersHost: worker?.enabled === true ? `${worker.name}.${this.env.WORKERS_DOMAIN}` : null,
      routes: this.#table.routes.filter(isOwn).map((route) => route.pattern),
      domains: this.#table.domains.filter(isOwn).map((domain) => domain.hostname),
    };
  }

  override async alarm(): Promise<void> {
    await this.#register.onAlarm();
  }

  async #begin(request: RoutingRequest): Promise<RoutingProgress> {
    let started = false;
    try {
      const known = this.#progress(request.id);
      if (known !== null) return known;
      const zones = await listZones(this.#db, accountIdOf(this.env));
      const decided = decideRouting(
        { table: this.#table, zones, controlHosts: controlHostsOf(this.env) },
        request.command,
        newHexId,
      );
      if (!decided.ok) return refused(decided.error);
      const change: RoutingChange = {
        id: request.id,
        diff: decided.value,
        at: Date.now(),
        actor: request.actor,
        action: `routing.${request.command.kind}`,
      };
      started = true;
      await this.#register.start(request.id, change, () => {});
      return this.#progress(request.id) ?? refused({ kind: "ledger_unavailable" });
    } finally {
      if (!started) this.#register.turns.release(Date.now());
    }
  }

  #progress(id: string): RoutingProgress | null {
    const visible = this.#register.visible?.value;
    if (visible?.id === id) return { state: "visible", diff: visible.diff };
    if (this.#register.pending?.value.id === id) {
      return { state: "draining", id, waitMs: this.#register.drainMs(Date.now()) };
    }
    const done = this.#entries.changeDone(id);
    if (done !== null) return { state: "visible", diff: done };
    return this.#givenUp?.id === id ? refused(this.#givenUp.error) : null;
  }

  #ledger(): LedgerHooks<RoutingChange> {
    const entry = ({ id, at, actor, action, diff }: RoutingChange, details: object = diff) => ({
      id,
      at,
      actorId: actor.id,
      actorEmail: actor.email,
      action,
      target: "routing",
      details: { ...details },
    });
    const accountId = () => accountIdOf(this.env);
    return {
      commit: async ({ seq, value }) => {
        const place = { seq, undo: false };
        await commitRouting(this.#db, accountId(), place, value.diff, value.at, entry(value));
        return true;
      },
      activate: ({ seq }) => activateRouting(this.#db, { seq, undo: false }),
      // A write that was given up may have arrived all the same: put back what this object knows.
      abort: async ({ seq, value }) => {
        const inverse = invertRoutingDiff(this.#table, value.diff, value.at);
        const undo = { ...value, id: `${value.id}:undo`, action: "routing.undo" };
        const line = entry(undo, { undone: value.id });
        const place = { seq, undo: true };
        await commitRouting(this.#db, accountId(), place, inverse, value.at, line);
        await activateRouting(this.#db, place);
      },
      flipped: ({ value: { id, diff, at } }) => {
        this.#entries.apply(diff);
        this.#entries.rememberChange(id, diff, at);
        this.#table = applyRoutingDiff(this.#table, diff);
      },
      abandoned: ({ value: { id } }, error) => {
        this.#givenUp = { id, error };
      },
      // Places are taken by this object alone, and one that starts anew takes them from the clock.
      fenced: async () => {},
      restampsAborted: true,
    };
  }

  async #adoptLedger(): Promise<void> {
    const { table, state } = await loadRouteTable(this.#db, accountIdOf(this.env));
    // Numbered by the clock, so that a gateway which still knows an earlier life of this object's storage
    // never takes a new table for one that it has.
    const seq = Date.now();
    const value = {
      id: "adopted",
      diff: NO_CHANGE,
      at: seq,
      actor: NOBODY,
      action: "routing.adopt",
    };
    this.ctx.storage.transactionSync(() => {
      this.#entries.apply({
        ...NO_CHANGE,
        putWorkers: table.workers,
        putRoutes: table.routes,
        putDomains: table.domains,
      });
      this.#register.adopt(
        { visible: { seq, value }, pending: null, nextSeq: seq + 1, settledSeq: seq },
        state,
      );
    });
    this.#table = table;
  }
}

const refused = (error: DomainError): RoutingProgress => ({ state: "refused", error });
const newHexId = (): string => crypto.randomUUID().replaceAll("-", "");

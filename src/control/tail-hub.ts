/**
 * Who is tailing one Worker, and what they are shown. The object's name is the Worker's id. Gateways bring events only
 * while the Worker's lock tells them that somebody listens; the sockets hibernate, so that listening alone costs nothing.
 */
import { DurableObject } from "cloudflare:workers";
import type { DomainError } from "../domain/errors.ts";
import { parseWorkerId, type WorkerId } from "../domain/ids.ts";
import {
  TAIL_CHARS_PER_SECOND_MAX,
  TAIL_CONNECT_MS_MAX,
  TAIL_EVENTS_PER_SECOND_MAX,
  TAIL_MS_MAX,
  TAILS_PER_WORKER_MAX,
} from "../domain/limits-tail.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { fitted, tailNotice, type TailBatch, type TailEvent } from "../domain/tail-event.ts";
import { passesFilters, type TailFilter } from "../domain/tail-filters.ts";
import type { WorkerLock } from "./worker-lock.ts";

/** What a tail is asked for. */
export interface TailRequest {
  readonly id: string;
  readonly filters: readonly TailFilter[];
  /** Of whoever asks, for the filter `self`. */
  readonly address: string | null;
}

export interface Tail {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

interface StoredTail extends Tail, TailRequest {}

interface Row extends Record<string, SqlStorageValue> {
  readonly id: string;
  readonly request: string;
  readonly expires_at: number;
  readonly connected: number;
}

/** What one tail may still be sent in the second that runs. */
interface Allowance {
  second: number;
  events: number;
  chars: number;
  dropped: number;
}

const NORMAL_END = 1000;
/** Not the end for wrangler: it makes another tail and connects again. */
const COME_AGAIN = 1001;

export class TailHub extends DurableObject<Env> {
  readonly #sql: SqlStorage;
  readonly #allowances = new Map<string, Allowance>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS tails
        (id TEXT PRIMARY KEY, request TEXT NOT NULL, expires_at INTEGER NOT NULL, connected INTEGER NOT NULL)`,
    );
  }

  /** `waitMs`: how long until every gateway has heard that somebody listens. */
  async create(
    request: TailRequest,
  ): Promise<Result<Tail & { readonly waitMs: number }, DomainError>> {
    const now = Date.now();
    await this.#sweep(now);
    if (this.#rows().length >= TAILS_PER_WORKER_MAX) {
      return err({ kind: "too_many_tails", max: TAILS_PER_WORKER_MAX });
    }
    const expiresAt = now + TAIL_MS_MAX;
    this.#sql.exec(
      "INSERT INTO tails (id, request, expires_at, connected) VALUES (?, ?, ?, 0)",
      request.id,
      JSON.stringify({ ...request, madeAt: now }),
      now + TAIL_CONNECT_MS_MAX,
    );
    // First: should this go no further, what is written is swept up.
    await this.#setAlarm();
    const waitMs = await this.#tellLock();
    return ok({ id: request.id, expiresAt, waitMs });
  }

  async list(): Promise<readonly Tail[]> {
    await this.#sweep(Date.now());
    return this.#rows().map((row) => toTail(row));
  }

  end(id: string): Promise<void> {
    return this.#forget(id, NORMAL_END, "The tail was ended.");
  }

  /** Ends all of them: the Worker is gone. */
  async endAll(): Promise<void> {
    for (const { id } of this.#rows())
      await this.#forget(id, NORMAL_END, "The Worker was deleted.");
  }

  /** The tail's WebSocket; its address has been checked. */
  override async fetch(request: Request): Promise<Response> {
    const id = new URL(request.url).pathname.slice(1);
    await this.#sweep(Date.now());
    const row = this.#rows().find((one) => one.id === id);
    if (row === undefined) return gone("This tail is over. Make another.");
    if (row.connected === 1) return gone("Somebody is connected to this tail. Make another.");
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server, [id]);
    const { expiresAt } = toTail(row);
    this.#sql.exec("UPDATE tails SET connected = 1, expires_at = ? WHERE id = ?", expiresAt, id);
    await this.#setAlarm();
    const headers = { "sec-websocket-protocol": "trace-v1" };
    return new Response(null, { status: 101, webSocket: client, headers });
  }

  /** Shows a gateway's events to whoever wants to see them. */
  async push({ scriptName, events, dropped }: TailBatch): Promise<void> {
    const now = Date.now();
    const connected = this.#connected();
    // The lock may still say that somebody listens, when this process was killed with all sockets.
    if (connected.length === 0) await this.#sweep(now);
    for (const tail of connected) {
      if (dropped > 0) {
        send(tail.socket, JSON.stringify(tailNotice(scriptName, droppedText(dropped), now)));
      }
      const viewer = { address: tail.address, random: Math.random };
      for (const event of events) {
        if (passesFilters(event, tail.filters, viewer)) this.#show(tail, event, now);
      }
    }
  }

  /** wrangler says first whether it wants what its filters hold back too (`--debug`): they hold it back all the same. */
  override webSocketMessage(): void {}

  override async webSocketClose(socket: WebSocket): Promise<void> {
    for (const id of this.ctx.getTags(socket)) await this.#forget(id, NORMAL_END, "");
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    for (const id of this.ctx.getTags(socket)) await this.#forget(id, COME_AGAIN, "");
  }

  override async alarm(): Promise<void> {
    await this.#sweep(Date.now());
    await this.#setAlarm();
  }

  #show(
    { id, socket }: { readonly id: string; readonly socket: WebSocket },
    event: TailEvent,
    now: number,
  ): void {
    const second = Math.floor(now / 1000);
    let allowance = this.#allowances.get(id);
    if (allowance?.second !== second) {
      const dropped = allowance?.dropped ?? 0;
      if (dropped > 0) {
        send(socket, JSON.stringify(tailNotice(event.scriptName, droppedText(dropped), now)));
      }
      allowance = {
        second,
        events: TAIL_EVENTS_PER_SECOND_MAX,
        chars: TAIL_CHARS_PER_SECOND_MAX,
        dropped: 0,
      };
      this.#allowances.set(id, allowance);
    }
    const { json } = fitted(event);
    if (allowance.events < 1 || allowance.chars < json.length) {
      allowance.dropped++;
      return;
    }
    allowance.events--;
    allowance.chars -= json.length;
    send(socket, json);
  }

  #connected(): (StoredTail & { readonly socket: WebSocket })[] {
    const sockets = this.ctx.getWebSockets();
    if (sockets.length === 0) return [];
    const tails = new Map(this.#rows().map((row) => [row.id, toTail(row)]));
    return sockets.flatMap((socket) => {
      const tail = tails.get(this.ctx.getTags(socket)[0] ?? "");
      return tail === undefined ? [] : [{ ...tail, socket }];
    });
  }

  /** Ends what is over: nobody came, or it has lasted its time, or its socket went with the process. */
  async #sweep(now: number): Promise<void> {
    for (const { id, expires_at: expiresAt, connected } of this.#rows()) {
      const isLost = connected === 1 && this.ctx.getWebSockets(id).length === 0;
      if (isLost || now >= expiresAt) await this.#forget(id, COME_AGAIN, "The tail has expired.");
    }
  }

  async #forget(id: string, code: number, reason: string): Promise<void> {
    for (const socket of this.ctx.getWebSockets(id)) {
      try {
        socket.close(code, reason);
      } catch {
        // Closed already.
      }
    }
    this.#allowances.delete(id);
    const { rowsWritten } = this.#sql.exec("DELETE FROM tails WHERE id = ?", id);
    if (rowsWritten > 0) await this.#tellLock();
  }

  /** Gateways hear from the lock, with the lease that they renew anyway. */
  async #tellLock(): Promise<number> {
    const until = Math.max(0, ...this.#rows().map((row) => toTail(row).expiresAt));
    const lock = this.env.WORKER_LOCK.getByName(
      this.#workerId(),
    ) as unknown as DurableObjectStub<WorkerLock>;
    return await lock.noteTails(until);
  }

  async #setAlarm(): Promise<void> {
    const next = Math.min(...this.#rows().map((row) => row.expires_at));
    if (Number.isFinite(next)) await this.ctx.storage.setAlarm(next);
    else await this.ctx.storage.deleteAlarm();
  }

  #rows(): Row[] {
    return this.#sql.exec<Row>("SELECT * FROM tails").toArray();
  }

  #workerId(): WorkerId {
    const id = parseWorkerId(this.ctx.id.name ?? "");
    if (id === null) throw new Error("tail hub: the object's name has to be a Worker's id");
    return id;
  }
}

function toTail(row: Row): StoredTail {
  const { id, filters, address, madeAt } = JSON.parse(row.request) as TailRequest & {
    readonly madeAt: number;
  };
  return { id, filters, address, expiresAt: madeAt + TAIL_MS_MAX };
}

function send(socket: WebSocket, text: string): void {
  try {
    socket.send(text);
  } catch {
    // It is closing: the tail ends when the runtime says so.
  }
}

const gone = (sentence: string) => new Response(`${sentence}\n`, { status: 410 });

const droppedText = (count: number): string =>
  `${count} ${count === 1 ? "event is" : "events are"} missing here: there were more than can be shown. ` +
  "Filter them, or take a sample (--sampling-rate).";

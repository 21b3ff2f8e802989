/**
 * One request and its answer: placed by the switchyard, sent to an upstream byte for byte, answered byte
 * for byte. Says `ended` once for each upstream it was given, whatever happens to either side.
 */
import { BodyFraming } from "./body-framing.ts";
import type { ClientOwner, ClientSide } from "./client-side.ts";
import { FlightRecord } from "./flight-record.ts";
import type { RequestHead } from "./request-head.ts";
import { CHUNKED, type ResponseHead, closing, parseResponseHead } from "./response-head.ts";
import type { FlightEnd, OwnAnswer, Upstream } from "./switchyard.ts";
import { Tunnel } from "./tunnel.ts";
import type { UpstreamConnection, UpstreamOwner } from "./upstream-pool.ts";

/** Waiting for the switchyard's word. */
const PLACING = 0;
const CONNECTING = 1;
/** Sent, at least in part; no answer yet. */
const SENT = 2;
/** The response's head has been passed on. */
const ANSWERED = 3;
/** The response is complete, the request is not. */
const LATE = 4;
/** The connection failed; the switchyard is asked what now. */
const LOST = 5;
const OVER = 6;

const tooLarge = (bytesMax: number) =>
  `The Worker's answer has a head that is too large: status and headers may take ${bytesMax} bytes.`;
const MALFORMED = "The Worker's answer has a head that is not HTTP.";
const CHUNKS =
  "The Worker's answer comes in chunks, which HTTP/1.0 does not know. Ask with HTTP/1.1.";
const NO_UPGRADE = "The Worker's answer changes the protocol, which the request did not ask for.";

export class Exchange implements ClientOwner, UpstreamOwner {
  readonly #client: ClientSide;
  readonly #head: RequestHead;
  readonly #flight: FlightRecord;
  readonly #request = new BodyFraming();
  readonly #response = new BodyFraming();
  #stage = PLACING;
  #upstream: Upstream | null = null;
  #connection: UpstreamConnection | null = null;
  /** What its end would be just now. */
  #end: FlightEnd = "unanswered";
  /** The beginning of a response's head. */
  #partial: Buffer | null = null;
  #sentSome = false;
  #triedFresh = false;
  /** The connection had carried others before. */
  #reused = false;
  /** Neither connection may carry another request. */
  #last: boolean;
  /** The upstream sent what does not belong to the response. */
  #spoilt = false;

  constructor(client: ClientSide, head: RequestHead) {
    this.#client = client;
    this.#head = head;
    this.#flight = new FlightRecord(head, client.context);
    this.#last = head.close;
    this.#request.begin(head.chunked ? CHUNKED : Math.max(0, head.contentLength));
  }

  start(): void {
    const { switchyard } = this.#client.context;
    this.#extend();
    const own = switchyard.own(this.#flight, this.#head);
    if (own === null) return this.#place();
    own.then(
      (answer) => this.#answer(answer),
      () => this.#answer(switchyard.refused(502, "The host could not answer this.")),
    );
  }

  clientData(chunk: Buffer): void {
    if (!this.#request.done && (this.#stage === SENT || this.#stage >= ANSWERED)) {
      if (this.#connection !== null) return this.#sendBody(chunk);
    }
    this.#client.hold(chunk);
  }

  clientDrained(): void {
    this.#connection?.socket.resume();
  }

  /** A client that closes its side while it waits has gone: it cannot be told from one that crashed. */
  clientEnded(): void {
    this.#client.destroy();
  }

  clientGone(): void {
    this.#stage = OVER;
    this.#drop();
    this.#ended();
  }

  clientOverdue(): void {
    const { switchyard } = this.#client.context;
    if (this.#stage === LATE) return this.#finish();
    const upstream = this.#upstream;
    this.#drop();
    this.#answer(switchyard.overdue(this.#flight, upstream));
  }

  upstreamConnected(): void {
    this.#send();
  }

  upstreamDrained(): void {
    this.#client.resume();
  }

  upstreamData(chunk: Buffer): void {
    if (this.#stage === SENT) this.#readHead(chunk);
    else if (this.#stage === ANSWERED) this.#pass(chunk, 0, 0);
    else this.#spoilt = true;
  }

  upstreamEnded(): void {
    if (this.#stage === ANSWERED && this.#response.untilClose) {
      this.#last = true;
      this.#finish();
      return;
    }
    this.#drop();
    this.upstreamGone();
  }

  upstreamGone(): void {
    this.#connection = null;
    if (this.#stage === LATE) return this.#finish();
    // An answer that breaks off must look like one.
    if (this.#stage === ANSWERED) return this.#client.destroy();
    this.#lost();
  }

  #place(): void {
    this.#stage = PLACING;
    const { switchyard } = this.#client.context;
    const where = switchyard.place(this.#flight, this.#client.signal);
    if (!(where instanceof Promise)) return this.#placed(where);
    where.then(
      (place) => this.#placed(place),
      () => this.#placed(switchyard.refused(502, "The host could not place this.")),
    );
  }

  #placed(where: Upstream | OwnAnswer): void {
    if ("status" in where) return this.#answer(where);
    if (this.#stage === OVER) {
      return this.#client.context.switchyard.ended(this.#flight, where, "unanswered");
    }
    this.#upstream = where;
    this.#end = "unanswered";
    this.#flight.tries++;
    this.#triedFresh = false;
    this.#connect(where);
  }

  #connect(upstream: Upstream): void {
    const connection = this.#client.context.pool.acquire(upstream, this, this.#triedFresh);
    this.#connection = connection;
    this.#reused = connection.uses > 0;
    this.#stage = CONNECTING;
    if (connection.connected) this.#send();
  }

  #send(): void {
    const { socket } = this.#connection!;
    const body = this.#request.done ? null : this.#client.takeHeld();
    this.#stage = SENT;
    this.#sentSome = true;
    if (body === null) {
      socket.write(this.#head.outgoing(this.#client.lines));
      return;
    }
    socket.cork();
    socket.write(this.#head.outgoing(this.#client.lines));
    this.#sendBody(body);
    socket.uncork();
  }

  #sendBody(chunk: Buffer): void {
    const end = this.#request.scan(chunk, 0);
    if (end < 0) return this.#refuseBody();
    const whole = end === chunk.length;
    if (end > 0 && !this.#connection!.socket.write(whole ? chunk : chunk.subarray(0, end))) {
      this.#client.pause();
    }
    if (this.#stage === SENT) this.#extend();
    if (!whole) this.#client.hold(chunk.subarray(end));
    if (this.#request.done && this.#stage === LATE) this.#finish();
  }

  #refuseBody(): void {
    this.#last = true;
    this.#drop();
    if (this.#stage !== SENT) return this.#client.destroy();
    const reason = "The chunks of the request's body are malformed.";
    this.#answer(this.#client.context.switchyard.refused(400, reason));
  }

  #readHead(chunk: Buffer): void {
    const bytes = this.#partial === null ? chunk : Buffer.concat([this.#partial, chunk]);
    this.#partial = null;
    const { limits } = this.#client.context;
    let from = 0;
    for (;;) {
      const head = parseResponseHead(bytes, from, this.#head.method === "HEAD");
      if (head === "malformed") return this.#unusable(MALFORMED);
      const bytesMax = limits.responseHeadBytesMax;
      if ((head?.end ?? bytes.length) - from > bytesMax) return this.#unusable(tooLarge(bytesMax));
      if (head === null) {
        if (from < bytes.length) this.#partial = bytes.subarray(from);
        return;
      }
      if (head.status === 101) return this.#tunnel(bytes, from);
      if (head.status >= 200) return this.#answered(bytes, from, head);
      // HTTP/1.0 knows no interim responses.
      if (!this.#head.old) this.#client.write(bytes.subarray(from, head.end));
      from = head.end;
    }
  }

  #answered(bytes: Buffer, from: number, head: ResponseHead): void {
    const { context } = this.#client;
    if (this.#head.old && head.body === CHUNKED) return this.#unusable(CHUNKS);
    context.switchyard.answered(this.#flight, this.#upstream!, head.status);
    this.#end = "cut";
    this.#stage = ANSWERED;
    this.#client.deadline = 0;
    this.#response.begin(head.body);
    if (head.close) this.#last = true;
    if (!context.draining || head.close) return this.#pass(bytes, from, head.end);
    this.#last = true;
    this.#client.write(closing(bytes, from, head));
    this.#pass(bytes, head.end, head.end);
  }

  /** Passes `bytes` from `from` on; the body begins at `bodyFrom`. */
  #pass(bytes: Buffer, from: number, bodyFrom: number): void {
    const end = this.#response.scan(bytes, bodyFrom);
    if (end < 0) return this.#client.destroy();
    if (end < bytes.length) this.#spoilt = true;
    const whole = from === 0 && end === bytes.length;
    const taken = end === from || this.#client.write(whole ? bytes : bytes.subarray(from, end));
    if (this.#response.done) {
      if (this.#request.done || this.#last) return this.#finish();
      this.#stage = LATE;
      const { context } = this.#client;
      this.#client.deadline = context.now() + context.limits.lingerMsMax;
    } else if (!taken) this.#connection?.socket.pause();
  }

  /** The response is complete. */
  #finish(): void {
    this.#end = "complete";
    const whole = this.#request.done && !this.#last;
    this.#stage = OVER;
    const connection = this.#connection;
    this.#connection = null;
    if (connection !== null) {
      if (whole && !this.#spoilt && !this.#head.upgrade) {
        this.#client.context.pool.release(connection);
      } else connection.destroy();
    }
    this.#ended();
    this.#client.done(whole);
  }

  #tunnel(bytes: Buffer, from: number): void {
    if (!this.#head.upgrade || this.#head.old) return this.#unusable(NO_UPGRADE);
    const { switchyard } = this.#client.context;
    switchyard.answered(this.#flight, this.#upstream!, 101);
    this.#end = "cut";
    this.#stage = OVER;
    this.#client.write(bytes.subarray(from));
    const tunnel = new Tunnel(this.#client, this.#connection!, () => this.#ended());
    this.#connection = null;
    tunnel.start();
  }

  /** The upstream is alive and has answered: it would answer the same again. */
  #unusable(reason: string): void {
    this.#partial = null;
    this.#drop();
    this.#answer(this.#client.context.switchyard.refused(502, reason));
  }

  /** The connection was closed by the upstream, perhaps long before; no answer will come from it. */
  #lost(): void {
    const { switchyard } = this.#client.context;
    const upstream = this.#upstream!;
    const stale = this.#stage === SENT && !this.#triedFresh && this.#reused;
    this.#partial = null;
    if (stale && this.#mayGoAgain) {
      this.#triedFresh = true;
      return this.#connect(upstream);
    }
    this.#stage = LOST;
    switchyard.lost(this.#flight, upstream, this.#sentSome).then(
      (verdict) => this.#judged(verdict),
      () => this.#judged(switchyard.refused(502, "The process that had the request is gone.")),
    );
  }

  #judged(verdict: "again" | OwnAnswer): void {
    this.#ended();
    if (this.#stage === OVER) return;
    if (verdict !== "again") return this.#answer(verdict);
    if (this.#mayGoAgain) return this.#place();
    const reason = "The process that had the request is gone.";
    this.#answer(this.#client.context.switchyard.refused(502, reason));
  }

  get #mayGoAgain(): boolean {
    return this.#head.replayable || !this.#sentSome;
  }

  #answer(answer: OwnAnswer): void {
    if (this.#stage === OVER) return;
    this.#stage = OVER;
    this.#ended();
    const keep = !this.#last && this.#skipBody();
    this.#client.answer(answer, this.#head.method === "HEAD", keep);
  }

  /** Whether the request's body is here already, so that the next request can be read behind it. */
  #skipBody(): boolean {
    if (this.#request.done) return true;
    const held = this.#client.takeHeld();
    const end = held === null ? -1 : this.#request.scan(held, 0);
    if (held !== null && end >= 0 && end < held.length) this.#client.hold(held.subarray(end));
    return end >= 0 && this.#request.done;
  }

  /** The time until the response's head begins anew. */
  #extend(): void {
    const { context } = this.#client;
    this.#client.deadline = context.now() + context.limits.wallMsMax;
  }

  #drop(): void {
    this.#connection?.destroy();
    this.#connection = null;
  }

  /** Once for each upstream that the switchyard gave. */
  #ended(): void {
    const upstream = this.#upstream;
    if (upstream === null) return;
    this.#upstream = null;
    this.#client.context.switchyard.ended(this.#flight, upstream, this.#end);
  }
}

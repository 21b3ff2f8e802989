/**
 * Brings events that no visitor sends to a gateway: cron triggers from the control process, batches from the data
 * process. An event is placed like a request, under a name of its Worker's own that no host can have, so that a handler
 * that blocks its process is found and stopped as a request's would be.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import {
  type EventDispatch,
  eventHost,
  type EventResult,
  readEventDispatch,
} from "../domain/event.ts";
import {
  EVENT_BODY_BYTES_MAX,
  EVENT_REMEMBERED_MS,
  EVENT_TRIES_MAX,
  EVENTS_IN_FLIGHT_MAX,
} from "../domain/limits-event.ts";
import { carryEvent } from "./events-carry.ts";
import type { Flight, Switchyard, Upstream } from "./front/switchyard.ts";
import { listenOnSocket } from "./listen-on-socket.ts";

export interface EventsParts {
  readonly switchyard: Pick<Switchyard, "place" | "lost" | "answered" | "ended">;
  /** Where the gateway of that name is asked; undefined: it is not there any more. */
  readonly internalSocketOf: (gateway: string) => string | undefined;
  /** Milliseconds, of a clock that does not go back. */
  readonly now: () => number;
}

export interface Events {
  close(): Promise<void>;
}

export async function listenForEvents(socketPath: string, parts: EventsParts): Promise<Events> {
  const courier = new EventCourier(parts);
  const server = createServer((request, response) => {
    void answer(request, response, courier).catch(() => response.destroy());
  });
  // An event takes as long as its handler does.
  server.requestTimeout = 0;
  const close = await listenOnSocket(server, socketPath);
  return {
    close: async () => {
      courier.close();
      await close();
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  courier: EventCourier,
): Promise<void> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) {
    text += String(chunk);
    if (text.length > EVENT_BODY_BYTES_MAX) return void response.destroy();
  }
  const dispatch = readEventDispatch(JSON.parse(text));
  if (dispatch === null) return void response.writeHead(400).end();
  // Whoever asks may go away and ask again; the event goes on.
  const result = await courier.deliver(dispatch);
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(result));
}

/** What became of each event, also for whoever asks once more. */
export class EventCourier {
  readonly #parts: EventsParts;
  readonly #results = new Map<string, Promise<EventResult>>();
  readonly #closing = new AbortController();
  #inFlight = 0;

  constructor(parts: EventsParts) {
    this.#parts = parts;
  }

  /** Never rejects. The same event, asked for again while it is remembered, is not run again if it has begun. */
  deliver(dispatch: EventDispatch): Promise<EventResult> {
    const known = this.#results.get(dispatch.id);
    if (known !== undefined) return known;
    if (this.#inFlight >= EVENTS_IN_FLIGHT_MAX) {
      return Promise.resolve({ outcome: "unavailable", detail: "too many events are under way" });
    }
    this.#inFlight++;
    const result = this.#deliver(dispatch).then((end) => {
      this.#inFlight--;
      // Nothing has run, so the next time is the first one.
      if (end.outcome === "unavailable") this.#results.delete(dispatch.id);
      else setTimeout(() => this.#results.delete(dispatch.id), EVENT_REMEMBERED_MS).unref();
      return end;
    });
    this.#results.set(dispatch.id, result);
    return result;
  }

  /** Those that wait for a gateway wait no longer. */
  close(): void {
    this.#closing.abort();
  }

  async #deliver(dispatch: EventDispatch): Promise<EventResult> {
    const { switchyard, now } = this.#parts;
    const startedAt = now();
    for (let tries = 1; ; tries++) {
      const flight: Flight = {
        id: dispatch.id,
        host: eventHost(dispatch.workerId),
        method: "POST",
        path: "/dispatch",
        replayable: false,
        startedAt,
        tries,
      };
      const placed = await switchyard.place(flight, this.#closing.signal);
      if (!("socketPath" in placed)) {
        return { outcome: "unavailable", detail: "no gateway could take it" };
      }
      const result = await this.#carry(flight, placed, dispatch);
      if (result !== "again") return result;
      if (tries >= EVENT_TRIES_MAX) return { outcome: "unavailable", detail: "its gateways ended" };
    }
  }

  async #carry(
    flight: Flight,
    upstream: Upstream,
    dispatch: EventDispatch,
  ): Promise<EventResult | "again"> {
    const { switchyard, internalSocketOf } = this.#parts;
    const socketPath = internalSocketOf(upstream.name);
    const end =
      socketPath === undefined
        ? ({ kind: "lost", sent: false } as const)
        : await carryEvent(socketPath, dispatch);
    if (end.kind === "answered") {
      switchyard.answered(flight, upstream, 200);
      switchyard.ended(flight, upstream, "complete");
      return end.result;
    }
    switchyard.ended(flight, upstream, "unanswered");
    if (end.kind === "late") return { outcome: "lost", detail: "it took too long" };
    // It is known soon that the process has ended, and who is to blame for it.
    const next = await switchyard.lost(flight, upstream, end.sent);
    if (next === "again" || !end.sent) return "again";
    return { outcome: "lost", detail: "the process that it ran in ended" };
  }
}

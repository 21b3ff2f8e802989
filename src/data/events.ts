/** The way of an event to a gateway: by the supervisor where there is one, straight to it where all is one Worker. */
import { type EventDispatch, type EventResult, readEventResult } from "../domain/event.ts";

/** What answers `POST /dispatch`. */
interface Answerer {
  fetch(url: string, init: RequestInit): Promise<Response>;
}

export interface EventsDoor {
  readonly answerer: Answerer;
  /** It knows an event that is sent again, so that sending again does no harm. */
  readonly remembers: boolean;
}

export function eventsDoor(env: unknown, ctx: unknown): EventsDoor {
  const outside = (env as { readonly EVENTS?: Answerer }).EVENTS;
  if (outside !== undefined) return { answerer: outside, remembers: true };
  const { exports } = ctx as { readonly exports: Readonly<Record<string, Answerer>> };
  const own = exports["GatewayEntrypoint"];
  if (own === undefined) throw new Error("the main module exports no GatewayEntrypoint");
  return { answerer: own, remembers: false };
}

/** How it went. Never rejects: without an answer, what became of it is not known. */
export async function sendEvent(door: EventsDoor, dispatch: EventDispatch): Promise<EventResult> {
  try {
    const response = await door.answerer.fetch("http://events/dispatch", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(dispatch),
    });
    const result = readEventResult(await response.json());
    return (
      result ?? { outcome: "lost", detail: `an answer that says nothing (${response.status})` }
    );
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { outcome: door.remembers ? "unavailable" : "lost", detail };
  }
}

import { request } from "node:http";
import { type EventDispatch, type EventResult, readEventResult } from "../domain/event.ts";
import { EVENT_MS_MAX } from "../domain/limits-event.ts";

export type Carried =
  | { readonly kind: "answered"; readonly result: EventResult }
  /** The connection failed. `sent`: the gateway may have begun. */
  | { readonly kind: "lost"; readonly sent: boolean }
  | { readonly kind: "late" };

/** Hands an event to a gateway and waits for its end, on a connection of its own. Never rejects. */
export function carryEvent(socketPath: string, dispatch: EventDispatch): Promise<Carried> {
  return new Promise((done) => {
    let sent = false;
    let isLate = false;
    const body = JSON.stringify(dispatch);
    const headers = {
      host: "gateway",
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      connection: "close",
    };
    const options = { socketPath, method: "POST", path: "/dispatch", headers, agent: false };
    const asking = request(options, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => (text += chunk));
      response.once("error", () => end({ kind: "lost", sent }));
      response.once("end", () => end({ kind: "answered", result: resultOf(text) }));
    });
    const timer = setTimeout(() => {
      isLate = true;
      asking.destroy();
    }, EVENT_MS_MAX);
    const end = (carried: Carried) => {
      clearTimeout(timer);
      done(isLate ? { kind: "late" } : carried);
    };
    asking.once("socket", (socket) => socket.once("connect", () => (sent = true)));
    asking.once("error", () => end({ kind: "lost", sent }));
    asking.end(body);
  });
}

function resultOf(text: string): EventResult {
  try {
    const result = readEventResult(JSON.parse(text));
    if (result !== null) return result;
  } catch {
    // Told below.
  }
  return { outcome: "lost", detail: "the gateway's answer says nothing" };
}

/** What the front answers by itself: pages for visitors, Cloudflare's envelope for clients of the API. */
import type { Flight, OwnAnswer } from "./front/switchyard.ts";

type Kind = "gateway_lost" | "gateways_unavailable" | "wall_time_exceeded" | "bad_request";

const PAGES: Readonly<
  Record<Kind, { readonly status: number; readonly lines: readonly string[] }>
> = {
  gateway_lost: {
    status: 502,
    lines: [
      "The process that ran this request has ended",
      "It may have run partly. Other requests go on in other processes; try again in a moment.",
    ],
  },
  gateways_unavailable: {
    status: 503,
    lines: [
      "No process can take this request just now",
      "None of the Worker's code ran for it. The process is being started again; try again in a moment.",
    ],
  },
  wall_time_exceeded: {
    status: 504,
    lines: [
      "The Worker did not answer in time",
      "The request was given up. If the Worker needs longer, the operator can raise --wall-ms.",
    ],
  },
  bad_request: { status: 400, lines: ["The request is not understood"] },
};

/** For a visitor. `x-switchback-error` names the kind, as on the gateways' own pages. */
export function visitorPage(kind: Kind, requestId: string): OwnAnswer {
  const { status, lines } = PAGES[kind];
  return {
    status,
    headers: {
      "content-type": "text/plain; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "x-request-id": requestId,
      "x-switchback-error": kind,
      ...(status === 503 || status === 502 ? { "retry-after": "1" } : {}),
    },
    body: `${[...lines, `Request id: ${requestId}`].join("\n")}\n`,
  };
}

/** Malformed at the level of HTTP, the request or (502) its answer: nobody knows whether it was meant for the API. */
export const malformed = (status: number, reason: string, requestId: string): OwnAnswer => ({
  status,
  headers: {
    "content-type": "text/plain; charset=utf-8",
    "x-content-type-options": "nosniff",
    "x-request-id": requestId,
    "x-switchback-error": status === 502 ? "bad_answer" : "bad_request",
  },
  body: `${reason}\nRequest id: ${requestId}\n`,
});

/** The control process is being started again, and took longer than anyone waits. */
export const controlAway = (flight: Flight): OwnAnswer =>
  envelope(flight, {
    code: 130036,
    message:
      "The control plane is being restarted and did not come back in time. Nothing was changed; deployed Workers go on serving. Try again in a moment.",
    retryAfterSeconds: 1,
  });

/** The control process ended while it worked on the request. */
export const outcomeUnknown = (flight: Flight): OwnAnswer =>
  envelope(flight, {
    code: 130034,
    message:
      "The control plane was restarted while it worked on this request, so it is not known whether the change took effect. `wrangler deployments status` shows what is current; or repeat the call with the same Idempotency-Key.",
  });

/** For who reads the metrics without the token for it. */
export const unauthorized = (flight: Flight): OwnAnswer => {
  const message =
    "The metrics name Workers: send Authorization: Bearer with the root token of this host.";
  const { headers, body } = envelope(flight, { status: 401, code: 10000, message });
  return { status: 401, headers: { ...headers, "www-authenticate": "Bearer" }, body };
};

function envelope(
  { id }: Flight,
  error: {
    /** 503 without. */
    readonly status?: number;
    readonly code: number;
    readonly message: string;
    readonly retryAfterSeconds?: number;
  },
): OwnAnswer {
  const { status = 503, code, message, retryAfterSeconds } = error;
  return {
    status,
    headers: {
      "content-type": "application/json",
      "x-request-id": id,
      // As for the API's own refusals: SDKs try again by themselves only where that is right.
      "x-should-retry": String(retryAfterSeconds !== undefined),
      ...(retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) }),
    },
    body: JSON.stringify({
      success: false,
      errors: [{ code, message }],
      messages: [],
      result: null,
    }),
  };
}

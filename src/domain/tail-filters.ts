/** Which events a tail shows. Cloudflare's filters; an event has to pass them all. */
import { requestOf, type TailEvent, type TailRequest } from "./tail-event.ts";

/** As clients send them, each with its own field. */
export type TailFilter =
  /** The share of events that pass, above 0 and up to 1. */
  | { readonly sampling_rate: number }
  | { readonly outcome: readonly string[] }
  | { readonly method: readonly string[] }
  /** A header of the request is there, and holds `query`. */
  | { readonly header: { readonly key: string; readonly query?: string } }
  /** Whose request it is; `self` is whoever made the tail. */
  | { readonly client_ip: readonly string[] }
  /** A text in what was logged. */
  | { readonly query: string }
  | { readonly scriptVersion: string };

export interface TailViewer {
  /** The address from which the tail was made, as {@link clientAddress} has it. */
  readonly address: string | null;
  /** In [0, 1): drawn anew for each event and tail. */
  readonly random: () => number;
}

export const passesFilters = (
  event: TailEvent,
  filters: readonly TailFilter[],
  viewer: TailViewer,
): boolean => filters.every((filter) => passes(event, filter, viewer));

function passes(event: TailEvent, filter: TailFilter, viewer: TailViewer): boolean {
  if ("sampling_rate" in filter) return viewer.random() < filter.sampling_rate;
  if ("outcome" in filter) return filter.outcome.includes(event.outcome);
  if ("query" in filter) return logsHold(event, filter.query);
  if ("scriptVersion" in filter) {
    return event.scriptVersion.id === filter.scriptVersion.toLowerCase();
  }
  // The others are about a request: what has none does not pass.
  const request = requestOf(event);
  if (request === null) return false;
  if ("method" in filter) {
    return filter.method.some((method) => method.toUpperCase() === request.method.toUpperCase());
  }
  if ("header" in filter) return headerHolds(request, filter.header);
  const address = clientAddress(request.headers);
  return filter.client_ip.some((wanted) =>
    wanted === "self" ? address === viewer.address : wanted === address,
  );
}

function headerHolds(
  { headers }: TailRequest,
  { key, query }: { readonly key: string; readonly query?: string },
): boolean {
  const value = Object.hasOwn(headers, key.toLowerCase()) ? headers[key.toLowerCase()] : undefined;
  return value !== undefined && (query === undefined || value.includes(query));
}

function logsHold({ logs }: TailEvent, text: string): boolean {
  return logs.some(({ message }) => message.some((value) => textOf(value).includes(text)));
}

const textOf = (value: unknown): string =>
  typeof value === "string" ? value : (JSON.stringify(value) ?? "");

/**
 * Whose request it is, as whoever stands in front of the host has said; null when nobody does, and then all look
 * alike. `headers`: names in lower case. Good enough to filter by, no proof of anything.
 */
export function clientAddress(headers: Readonly<Record<string, string>>): string | null {
  const named = headers["cf-connecting-ip"] ?? headers["x-real-ip"];
  if (named !== undefined) return named.trim();
  // The last one is what the nearest proxy has seen; those before it are anybody's claims.
  return headers["x-forwarded-for"]?.split(",").at(-1)?.trim() ?? null;
}

import type { TailEvent } from "../../src/domain/tail-event.ts";

/** A GET request to `/orders` from 192.0.2.7 that logged a line. */
export const tailEvent = (fields: Partial<TailEvent> = {}): TailEvent => ({
  outcome: "ok",
  scriptName: "shop",
  scriptVersion: { id: "332f58a6-67c8-4384-bf96-62033c60e85a" },
  entrypoint: null,
  executionModel: "stateless",
  truncated: false,
  wallTime: 3,
  cpuTime: 0,
  eventTimestamp: 1_790_000_000_000,
  event: tailRequest(),
  logs: [{ message: ["paid", { total: 12 }], level: "log", timestamp: 1_790_000_000_001 }],
  exceptions: [],
  diagnosticsChannelEvents: [],
  scriptTags: [],
  ...fields,
});

export const tailRequest = (fields: object = {}) => ({
  request: {
    url: "https://shop.example/orders",
    method: "GET",
    headers: { "x-kind": "large", "cf-connecting-ip": "192.0.2.7" },
    ...fields,
  },
  response: { status: 200 },
});

import { describe, expect, it } from "vitest";
import type { TailEvent } from "../../src/domain/tail-event.ts";
import { clientAddress, passesFilters, type TailFilter } from "../../src/domain/tail-filters.ts";
import { tailEvent, tailRequest } from "./tail-samples.ts";

const VERSION = "332f58a6-67c8-4384-bf96-62033c60e85a";
const viewer = { address: "192.0.2.7", random: () => 0.5 };
const passes = (event: Partial<TailEvent>, ...filters: TailFilter[]) =>
  passesFilters(tailEvent(event), filters, viewer);
const cron = { event: { cron: "* * * * *", scheduledTime: 1 } };

describe("a tail without filters", () => {
  it("shows everything", () => {
    expect(passes({})).toBe(true);
    expect(passes({ event: null })).toBe(true);
  });
});

describe("a filter", () => {
  it.each<[string, Partial<TailEvent>, TailFilter, boolean]>([
    ["lets the share below its rate pass", {}, { sampling_rate: 0.51 }, true],
    ["holds the rest back", {}, { sampling_rate: 0.5 }, false],
    ["knows outcomes", { outcome: "exception" }, { outcome: ["canceled", "exception"] }, true],
    ["refuses other outcomes", { outcome: "ok" }, { outcome: ["exception"] }, false],
    ["knows methods however they are written", {}, { method: ["post", "get"] }, true],
    ["refuses other methods", {}, { method: ["POST"] }, false],
    ["finds a header by its name alone", {}, { header: { key: "X-Kind" } }, true],
    ["finds a text in a header", {}, { header: { key: "x-kind", query: "arg" } }, true],
    ["misses a text in a header", {}, { header: { key: "x-kind", query: "small" } }, false],
    ["misses a header", {}, { header: { key: "x-other" } }, false],
    [
      "does not take an object's own members for headers",
      {},
      { header: { key: "constructor" } },
      false,
    ],
    ["knows addresses", {}, { client_ip: ["198.51.100.1", "192.0.2.7"] }, true],
    ["refuses other addresses", {}, { client_ip: ["198.51.100.1"] }, false],
    ["knows whoever tails", {}, { client_ip: ["self"] }, true],
    ["finds a text in a log line", {}, { query: "paid" }, true],
    ["finds a text in a logged object", {}, { query: '"total":12' }, true],
    ["misses a text that was not logged", {}, { query: "refunded" }, false],
    ["does not look for the text in the URL", {}, { query: "/orders" }, false],
    ["knows versions", {}, { scriptVersion: VERSION.toUpperCase() }, true],
    ["refuses other versions", {}, { scriptVersion: VERSION.replace("3", "4") }, false],
    ["about a request refuses what has none", cron, { method: ["GET"] }, false],
    ["about a header refuses what has no request", cron, { header: { key: "x-kind" } }, false],
    ["about an address refuses what has no request", cron, { client_ip: ["self"] }, false],
    ["about logs takes what has no request", cron, { query: "paid" }, true],
  ])("%s", (_, event, filter, expected) => {
    expect(passes(event, filter)).toBe(expected);
  });

  it("does not outvote another: all have to pass", () => {
    expect(passes({}, { query: "paid" }, { method: ["GET"] })).toBe(true);
    expect(passes({}, { query: "paid" }, { method: ["POST"] })).toBe(false);
  });

  it("`self` stands for any other direct visitor where no proxy says who it is", () => {
    const direct = tailEvent({ event: tailRequest({ headers: {} }) });
    const filters = [{ client_ip: ["self"] }];
    expect(passesFilters(direct, filters, { ...viewer, address: null })).toBe(true);
    expect(passesFilters(direct, filters, viewer)).toBe(false);
  });
});

describe("a client's address", () => {
  it("is what the nearest proxy says", () => {
    const forwarded = "203.0.113.9, 192.0.2.1";
    expect(clientAddress({ "x-forwarded-for": forwarded })).toBe("192.0.2.1");
    expect(clientAddress({ "x-forwarded-for": forwarded, "x-real-ip": "192.0.2.2" })).toBe(
      "192.0.2.2",
    );
    expect(clientAddress({ "cf-connecting-ip": "192.0.2.3", "x-real-ip": "192.0.2.2" })).toBe(
      "192.0.2.3",
    );
    expect(clientAddress({})).toBeNull();
  });
});

import { describe, expect, it } from "vitest";
import { apiClient, deployedWorker } from "./api-fixture.ts";
import {
  TAIL_FILTER_CHARS_MAX,
  TAIL_FILTER_VALUES_MAX,
  TAIL_FILTERS_MAX,
} from "../../src/domain/limits-tail.ts";

const client = await apiClient();
const { path } = await deployedWorker(client, "tailed");
const tails = `${path}/tails`;

/** The path of a tail's address. */
const doorOf = (url: string): string => new URL(url).pathname;
const knock = (door: string) =>
  client.raw("GET", door, { headers: { upgrade: "websocket", authorization: "" } });

describe("200", () => {
  it("a tail is made with wrangler's filters, listed, opened without a token, and ended", async () => {
    const filters = [
      { sampling_rate: 0.5 },
      { outcome: ["exception", "exceededCpu", "exceededMemory", "unknown"] },
      { method: ["GET"] },
      { header: { key: "x-a", query: "b" } },
      { client_ip: ["self"] },
      { query: "foo" },
      { scriptVersion: "332f58a6-67c8-4384-bf96-62033c60e85a" },
    ];
    const { errors, result } = await client.call("POST", tails, { filters });
    expect(errors).toEqual([]);
    expect(result.id).toMatch(/^[0-9a-f]{32}$/);
    expect(result.url).toMatch(
      /^ws:\/\/localhost\/tails\/[0-9a-f]{32}\/[0-9a-f]{32}\/[0-9a-f]{64}$/,
    );
    expect(Date.parse(result.expires_at)).toBeGreaterThan(Date.now());
    expect((await client.call("GET", tails)).result).toEqual([result]);
    const opened = await knock(doorOf(result.url));
    expect([opened.status, opened.headers.get("sec-websocket-protocol")]).toEqual([
      101,
      "trace-v1",
    ]);
    const closed = new Promise((done) =>
      opened.webSocket!.addEventListener("close", ({ code }) => done(code)),
    );
    opened.webSocket!.accept();
    const ended = await client.call("DELETE", `${tails}/${result.id}`);
    expect([ended.success, ended.result]).toEqual([true, null]);
    expect(await closed).toBe(1000);
    expect((await client.call("GET", tails)).result).toEqual([]);
  });

  it("tails end with their Worker", async () => {
    const gone = await deployedWorker(client, "tailed-and-gone");
    const { result } = await client.call("POST", `${gone.path}/tails`);
    const { webSocket } = await knock(doorOf(result.url));
    const closed = new Promise((done) =>
      webSocket!.addEventListener("close", ({ code, reason }) => done([code, reason])),
    );
    webSocket!.accept();
    expect((await client.call("DELETE", gone.path)).success).toBe(true);
    expect(await closed).toEqual([1000, "The Worker was deleted."]);
    expect((await knock(doorOf(result.url))).status).not.toBe(101);
  });

  it("a tail needs no filters and no body, and one that is over can be ended again", async () => {
    const { result } = await client.call("POST", tails);
    await client.call("DELETE", `${tails}/${result.id}`);
    expect((await client.call("DELETE", `${tails}/${result.id}`)).success).toBe(true);
    const empty = await client.call("POST", tails, { filters: [] });
    expect(empty.success).toBe(true);
    await client.call("DELETE", `${tails}/${empty.result.id}`);
  });
});

describe("400", () => {
  it.each([
    ["a rate of nothing", [{ sampling_rate: 0 }]],
    ["a rate above all", [{ sampling_rate: 1.01 }]],
    ["no outcome", [{ outcome: [] }]],
    ["an unknown filter", [{ colour: "blue" }]],
    ["two filters in one", [{ query: "a", method: ["GET"] }]],
    ["a header without a name", [{ header: { key: "" } }]],
    ["a text that is too long", [{ query: "x".repeat(TAIL_FILTER_CHARS_MAX + 1) }]],
    ["too many filters", Array.from({ length: TAIL_FILTERS_MAX + 1 }, () => ({ query: "a" }))],
    [
      "too many values",
      [{ method: Array.from({ length: TAIL_FILTER_VALUES_MAX + 1 }, () => "GET") }],
    ],
    ["no list", { query: "a" }],
  ])("%s makes no tail", async (_, filters) => {
    const refused = await client.call("POST", tails, { filters });
    expect([refused.status, refused.errors[0]?.code]).toEqual([400, 130001]);
    expect((await client.call("GET", tails)).result).toEqual([]);
  });
});

describe("404", () => {
  it("a Worker that is not there", async () => {
    const refused = await client.call("POST", path.replace("tailed", "nope") + "/tails", {});
    expect([refused.status, refused.errors[0]?.code]).toEqual([404, 10007]);
  });

  it("an address that was not given: another key, another tail, another Worker", async () => {
    const { result } = await client.call("POST", tails, {});
    const [, , worker, id, key] = doorOf(result.url).split("/") as string[];
    const other = (text: string) => (text.startsWith("0") ? "1" : "0") + text.slice(1);
    const doors = [
      `/tails/${worker}/${id}/${other(key!)}`,
      `/tails/${worker}/${other(id!)}/${key}`,
      `/tails/${other(worker!)}/${id}/${key}`,
      `/tails/${worker}/${id}/`,
      `/tails/${worker}/${id}/${key}0`,
      `/tails/x/${id}/${key}`,
    ];
    for (const door of doors) expect((await knock(door)).status, door).toBe(404);
    const plain = await client.raw("GET", doorOf(result.url));
    expect(plain.status).toBe(426);
    await client.call("DELETE", `${tails}/${result.id}`);
    expect((await knock(doorOf(result.url))).status).toBe(410);
  });
});

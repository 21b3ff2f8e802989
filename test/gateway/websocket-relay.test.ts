import { describe, expect, it } from "vitest";
import { fakeSwitchback } from "./fake-control-plane.ts";

const HOST = "http://web.workers.example/";
const UPGRADE = { headers: { upgrade: "websocket", "sec-websocket-protocol": "chat, other" } };

/** A version that accepts WebSockets; `server`, `note` and `request` are in reach of `body`. */
const accepting = (body: string, date = "2026-10-01") => ({
  date,
  source: `let noted = [];
    const note = (...what) => noted.push(what);
    export default { fetch(request) {
      if (!request.headers.has("upgrade")) return Response.json(noted);
      const [client, server] = Object.values(new WebSocketPair());
      server.binaryType = "arraybuffer";
      server.accept();
      server.addEventListener("close", ({ code, reason }) => void note(code, reason));
      ${body}
      return new Response(null, {
        status: 101, webSocket: client,
        headers: { "sec-websocket-protocol": "chat", "sec-websocket-extensions": "x-odd", "x-own": "kept" },
      });
    } };`,
});

const ECHO = accepting(`server.addEventListener("message", ({ data }) => server.send(data));`);

function setUp({ source, date } = ECHO, relayWebSockets = true) {
  const switchback = fakeSwitchback({ relayWebSockets });
  const workerId = switchback.worker("web");
  const versionId = switchback.version(workerId, source, { compatibilityDate: date });
  switchback.deploy(workerId, [versionId, 100]);
  return {
    ...switchback,
    versionId,
    /** What the version has noted; once there is something. */
    noted: async (): Promise<unknown[]> => {
      for (;;) {
        const noted: unknown[] = await (await switchback.fetch(HOST)).json();
        if (noted.length > 0) return noted;
        await scheduler.wait(5);
      }
    },
    open: async () => listen((await switchback.fetch(HOST, UPGRADE)).webSocket!),
    /** By a visitor who never answers a close. */
    openMute: async () => {
      const socket = (await switchback.fetch(HOST, UPGRADE)).webSocket!;
      socket.accept({ allowHalfOpen: true });
    },
  };
}

/** The visitor's side, with what it hears. */
function listen(socket: WebSocket) {
  const messages: unknown[] = [];
  const heard: (() => void)[] = [];
  const closed = Promise.withResolvers<[number, string]>();
  socket.binaryType = "arraybuffer";
  socket.addEventListener("message", ({ data }) => {
    messages.push(data);
    heard.shift()?.();
  });
  socket.addEventListener("close", ({ code, reason }) => closed.resolve([code, reason]));
  socket.accept();
  return {
    socket,
    messages,
    closed: closed.promise,
    /** Waits for so many messages from now on. */
    hear: (count: number) =>
      Promise.all(Array.from({ length: count }, () => new Promise<void>((r) => heard.push(r)))),
  };
}

describe("a relayed WebSocket", () => {
  it("keeps the answer's headers: the protocol agreed on, the Worker's own, the gateway's", async () => {
    const { fetch, versionId } = setUp();
    const response = await fetch(HOST, UPGRADE);
    expect(response.status).toBe(101);
    expect(response.headers.get("sec-websocket-protocol")).toBe("chat");
    expect(response.headers.get("x-own")).toBe("kept");
    expect(response.headers.get("x-switchback-version")).toBe(versionId);
    // What was agreed about another connection does not hold on this one.
    expect(response.headers.has("sec-websocket-extensions")).toBe(false);
  });

  it("carries text and bytes in order, both ways, also large and empty ones", async () => {
    const { open } = setUp();
    const { socket, messages, hear } = await open();
    const bytes = new Uint8Array(1_000_000).fill(3).with(999_999, 9);
    const sent = [
      "one",
      bytes,
      "x".repeat(1_000_000),
      new Uint8Array(0),
      "",
      "ünï\u{1f600}",
      "last",
    ];
    const all = hear(sent.length);
    for (const message of sent) socket.send(message);
    await all;
    const expected = sent.map((one) => (typeof one === "string" ? one : one.buffer));
    expect(messages.map((one) => typeof one)).toEqual(expected.map((one) => typeof one));
    for (const [at, one] of messages.entries()) {
      expect(one instanceof ArrayBuffer ? new Uint8Array(one) : one).toEqual(sent[at]);
    }
  });

  it.each([
    [1000, "done"],
    [1001, ""],
    [1008, "policy"],
    [1012, "own restart"],
    [3000, "registered"],
    [4000, "own"],
    [4999, "ünïcode"],
  ])("carries the visitor's close %d %j to the version, and its answer back", async (code, why) => {
    const { open, noted } = setUp();
    const { socket, closed } = await open();
    socket.close(code, why);
    expect(await noted()).toEqual([[code, why]]);
    expect((await closed)[0]).toBe(code);
  });

  it.each([
    [1000, "done"],
    [1011, "broken"],
    [4000, "own"],
    [4999, "ünïcode"],
  ])("carries the version's close %d %j to the visitor", async (code, why) => {
    const { open } = setUp(
      accepting(
        `server.addEventListener("message", () => server.close(${code}, ${JSON.stringify(why)}));`,
      ),
    );
    const { socket, closed } = await open();
    socket.send("close, please");
    expect(await closed).toEqual([code, why]);
  });

  it("carries a close without a code as one", async () => {
    const { open, noted } = setUp();
    const { socket } = await open();
    socket.close();
    expect(await noted()).toEqual([[1005, ""]]);
  });

  it("delivers what was sent before a close", async () => {
    const { open } = setUp(
      accepting(`for (let n = 0; n < 100; n++) server.send(String(n)); server.close(4001, "all");`),
    );
    const { messages, closed } = await open();
    expect(await closed).toEqual([4001, "all"]);
    expect(messages).toEqual(Array.from({ length: 100 }, (_, n) => String(n)));
  });

  it("lets a version have the last word after the visitor's close", async () => {
    const { open } = setUp(
      accepting(
        `server.addEventListener("close", () => { try { server.send("bye"); } catch {} server.close(4002, "mine"); });`,
        // Of a time when closing was left to the version.
        "2025-01-01",
      ),
    );
    const { socket, closed } = await open();
    socket.close(4001, "yours");
    expect(await closed).toEqual([4002, "mine"]);
  });

  it("is counted while it is open", async () => {
    const { gateway, open } = setUp();
    const first = await open();
    await open();
    expect(gateway.report().gauges.webSockets).toBe(2);
    first.socket.close(1000);
    await first.closed;
    expect(gateway.report().gauges.webSockets).toBe(1);
    expect(gateway.report().counters.webSockets).toBe(2);
  });
});

describe("draining", () => {
  it("closes every WebSocket on both sides as a restart of the service", async () => {
    const { gateway, open, noted } = setUp();
    const sockets = [await open(), await open()];
    expect(gateway.drain()).toEqual({ webSockets: 2 });
    for (const { closed } of sockets) expect(await closed).toEqual([1012, "Service Restart"]);
    expect((await noted())[0]).toEqual([1012, "Service Restart"]);
    expect(gateway.report().gauges).toMatchObject({ webSockets: 0, draining: 1 });
  });

  it("tells the version even when the visitor does not answer", async () => {
    const { gateway, openMute, noted } = setUp();
    await openMute();
    gateway.drain();
    expect(await noted()).toEqual([[1012, "Service Restart"]]);
  });

  it("closes those that open later, and answers all else", async () => {
    const { gateway, open, fetch } = setUp();
    gateway.drain();
    expect(await (await open()).closed).toEqual([1012, "Service Restart"]);
    expect((await fetch(HOST)).status).toBe(200);
  });
});

it("a gateway that does not relay leaves the version's own socket in place", async () => {
  const { gateway, open } = setUp(ECHO, false);
  const { socket, messages, hear } = await open();
  const heard = hear(1);
  socket.send("hi");
  await heard;
  expect(messages).toEqual(["hi"]);
  expect(gateway.drain()).toEqual({ webSockets: 0 });
  expect(gateway.report().counters.webSockets).toBe(0);
});

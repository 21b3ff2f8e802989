import type { Miniflare } from "miniflare";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGatewayFixture } from "./support/gateway-fixture.ts";

/** The host's own door of a gateway, and relayed WebSockets, in a real runtime over real connections. */
let runtime: Miniflare;

const WEB = "http://web.workers.example/";
const ECHO = `let noted = []; export default { fetch(request) {
  if (!request.headers.has("upgrade")) return Response.json(noted.splice(0));
  const [client, server] = Object.values(new WebSocketPair());
  server.binaryType = "arraybuffer";
  server.accept();
  server.addEventListener("message", ({ data }) => {
    if (data === "close") server.close(4005, "as asked"); else server.send(data);
  });
  server.addEventListener("close", ({ code, reason }) => void noted.push([code, reason]));
  const protocol = request.headers.get("sec-websocket-protocol")?.split(",")[0];
  const headers = protocol ? { "sec-websocket-protocol": protocol } : {};
  return new Response(null, { status: 101, webSocket: client, headers });
} };`;

beforeAll(async () => {
  runtime = await startGatewayFixture("public");
  const body = JSON.stringify([{ name: "web", sources: [ECHO] }]);
  await runtime.dispatchFetch("http://setup.test/", { method: "POST", body });
});
afterAll(() => runtime.dispose());

const internal = async (method: string, path: string) =>
  runtime.dispatchFetch(`http://internal.test${path}`, { method });

const noted = async (): Promise<unknown[]> => {
  for (;;) {
    const list = (await (await runtime.dispatchFetch(WEB)).json()) as unknown[];
    if (list.length > 0) return list;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};

/** An open WebSocket of a client on the network. */
async function open(protocols = "") {
  const headers = {
    upgrade: "websocket",
    ...(protocols && { "sec-websocket-protocol": protocols }),
  };
  const response = await runtime.dispatchFetch(WEB, { headers });
  const socket = response.webSocket;
  if (socket === null) throw new Error(`it did not open: ${response.status}`);
  const messages: unknown[] = [];
  const waiting: (() => void)[] = [];
  socket.addEventListener("message", ({ data }) => {
    messages.push(data);
    waiting.shift()?.();
  });
  const closed = new Promise<[number, string]>((resolve) =>
    socket.addEventListener("close", ({ code, reason }) => resolve([code, reason])),
  );
  socket.accept();
  return {
    socket,
    protocol: response.headers.get("sec-websocket-protocol"),
    closed,
    echo: async (data: string | Uint8Array<ArrayBuffer>): Promise<unknown> => {
      const heard = new Promise<void>((resolve) => waiting.push(resolve));
      socket.send(data);
      await heard;
      return messages.at(-1);
    },
  };
}

describe("a WebSocket on the network", () => {
  it("carries text and large bytes, and the protocol that was agreed on", async () => {
    const { socket, protocol, echo, closed } = await open("chat, other");
    expect(protocol).toBe("chat");
    expect(await echo("hello")).toBe("hello");
    const bytes = new Uint8Array(1_000_000).map((_, at) => at % 251);
    expect(new Uint8Array((await echo(bytes)) as ArrayBuffer)).toEqual(bytes);
    socket.close(4000, "done");
    expect((await closed)[0]).toBe(4000);
    expect(await noted()).toEqual([[4000, "done"]]);
  });

  it("is closed by the version with its own code", async () => {
    const { socket, closed } = await open();
    socket.send("close");
    expect(await closed).toEqual([4005, "as asked"]);
    await noted();
  });

  it("is closed on both sides, in its own request, when another one drains the gateway", async () => {
    const sockets = [await open(), await open()];
    for (const { echo } of sockets) await echo("open");
    const gauges = async () =>
      ((await (await internal("GET", "/metrics")).json()) as { gauges: object }).gauges;
    expect(await gauges()).toMatchObject({ webSockets: 2, draining: 0 });
    expect(await (await internal("POST", "/drain")).json()).toEqual({ webSockets: 2 });
    for (const { closed } of sockets) expect(await closed).toEqual([1012, "Service Restart"]);
    expect((await noted())[0]).toEqual([1012, "Service Restart"]);
    expect(await gauges()).toMatchObject({ webSockets: 0, draining: 1 });
  });
});

describe("the upload check by RPC", () => {
  const probe = async (source: string, zeros: number) =>
    (
      await runtime.dispatchFetch(`http://probe.test/?zeros=${zeros}`, {
        method: "POST",
        body: source,
      })
    ).json();

  it("takes a version that no message could hold", async () => {
    const source = `import zeros from "./zeros.bin";
      if (zeros.byteLength !== 40_000_000) throw new Error("incomplete: " + zeros.byteLength);
      export default { fetch() {} };`;
    expect(await probe(source, 40_000_000)).toMatchObject({ ok: true, handlers: ["fetch"] });
  });

  it("says why a version does not start", async () => {
    const failed = await probe(`throw new Error("boom")`, 0);
    expect(failed).toMatchObject({ ok: false, message: expect.stringContaining("boom") });
  });
});

it("the process says that it lives", async () => {
  expect((await internal("GET", "/alive")).status).toBe(204);
});

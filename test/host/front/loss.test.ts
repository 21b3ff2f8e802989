import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { FRONT_LIMITS } from "../../../src/host/front/front-limits.ts";
import { Upstreams, answering, bench, eventually, get, ok, socketPath } from "./front-fixture.ts";

const post = (path: string) =>
  `POST ${path} HTTP/1.1\r\nHost: a.test\r\nContent-Length: 2\r\n\r\nhi`;
const dying = (socket: Socket) => socket.on("data", () => socket.destroy());

describe("an upstream that fails before it answers", () => {
  it("is told of, and a replayable request goes elsewhere if the switchyard says so", async () => {
    await using b = await bench({}, dying);
    const second = new Upstreams();
    second.serve = answering(() => ok("second"));
    await second.listen();
    b.yard.verdict = async () => {
      b.yard.upstream = { name: "g2", socketPath: second.path };
      return "again";
    };
    const client = await b.client().send(get("/x")).has("second");
    expect(client.text).toBe(ok("second"));
    expect(b.yard.told).toEqual([
      "lost /x g1 some sent",
      "ended /x g1",
      "answered /x g2 200",
      "ended /x g2",
    ]);
    expect(b.yard.flights.map((flight) => flight.tries)).toEqual([2, 2]);
    second.close();
  });

  it("does not get a request twice that may have been seen and is not replayable", async () => {
    let times = 0;
    await using b = await bench({}, (socket) => (times++, dying(socket)));
    b.yard.verdict = async () => "again";
    const client = await b.client().send(post("/x")).has("\r\n\r\n");
    expect(client.text).toMatch(/^HTTP\/1.1 502 /);
    expect([times, b.yard.open]).toEqual([1, 0]);
  });

  it("and was never reached has seen nothing: any request may go elsewhere", async () => {
    await using b = await bench(
      {},
      answering(() => ok("reached")),
    );
    const { upstream } = b.yard;
    b.yard.upstream = { name: "g0", socketPath: socketPath() };
    b.yard.verdict = async () => {
      b.yard.upstream = upstream;
      return "again";
    };
    await b.client().send(post("/x")).has("reached");
    expect(b.yard.told.slice(0, 2)).toEqual(["lost /x g0 none sent", "ended /x g0"]);
  });

  it("is in the switchyard's books until the switchyard has decided", async () => {
    await using b = await bench({}, dying);
    const word = Promise.withResolvers<"again">();
    b.yard.verdict = () => word.promise;
    const client = b.client().send(get("/x"));
    await eventually(() => b.yard.told.length === 1);
    expect(b.yard.open).toBe(1);
    client.socket.destroy();
    await eventually(() => b.yard.open === 0);
    word.resolve("again");
    await new Promise((resolve) => setImmediate(resolve));
    expect(b.yard.told).toEqual(["lost /x g1 some sent", "ended /x g1"]);
    expect(b.yard.flights.length).toBe(1);
  });
});

describe("an answer that cannot be passed on", () => {
  const large = "x".repeat(FRONT_LIMITS.responseHeadBytesMax);
  const cases: [string, string, string, string][] = [
    ["whose head is too large", get("/x"), ok("body", `X: ${large}`), "head that is too large"],
    ["whose head never ends", get("/x"), `HTTP/1.1 200 OK\r\nX: ${large}`, "too large"],
    ["that is not HTTP", get("/x"), "HTTP/1.1 200 OK\nX: y\n\nbody", "not HTTP"],
    ["with 101 to no upgrade", get("/x"), "HTTP/1.1 101 OK\r\n\r\nbody", "did not ask for"],
    [
      "in chunks to HTTP/1.0",
      "GET /x HTTP/1.0\r\nHost: a.test\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n",
      "Ask with HTTP/1.1",
    ],
  ];
  it.each(cases)(
    "(%s) is a 502 at once: no process is lost by it, and nothing runs twice",
    async (_, sent, answer, reason) => {
      let runs = 0;
      await using b = await bench(
        {},
        answering(() => (runs++, answer)),
      );
      b.yard.verdict = async () => "again";
      const client = await b.client().send(sent).has(reason);
      expect(client.text).toMatch(/^HTTP\/1.1 502 /);
      expect(client.text).not.toContain("body");
      expect(b.yard.told).toEqual(["refused 502", "ended /x g1"]);
      expect([runs, b.yard.open]).toEqual([1, 0]);
      await eventually(() => b.upstreams.sockets[0]?.readableEnded === true);
    },
  );

  it("leaves the client's connection to its next request", async () => {
    await using b = await bench(
      {},
      answering((head) => (head.includes("GET /1") ? "HTTP/1.1 2OO\r\n\r\n" : ok("fine"))),
    );
    const client = await b.client().send(get("/1")).has("not HTTP");
    await client.send(get("/2")).has("fine");
  });
});

describe("a kept connection that the upstream has closed", () => {
  /** The first connection answers once, and dies of the second request. */
  const stale = (socket: Socket, index: number) => {
    let requests = 0;
    socket.on("data", () => {
      if (index === 0 && ++requests === 2) socket.destroy();
      else socket.write(ok(`c${index}`));
    });
  };

  it("is replaced silently for a replayable request", async () => {
    await using b = await bench({}, stale);
    const client = await b.client().send(get("/1")).has("c0");
    await client.send(get("/2")).has("c1");
    expect(b.yard.told.some((line) => line.startsWith("lost"))).toBe(false);
    expect(b.yard.flights.map((flight) => flight.tries)).toEqual([1, 1]);
  });

  it("is a loss for one that is not", async () => {
    await using b = await bench({}, stale);
    const client = await b.client().send(get("/1")).has("c0");
    await client.send(post("/2")).has("lost");
    expect(b.yard.told).toContain("lost /2 g1 some sent");
  });

  it("is not used again after a time, nor after `forget`", async () => {
    await using b = await bench(
      { upstreamIdleMsMax: 20 },
      answering(() => ok("x")),
    );
    await b.client().send(get("/1")).has("x");
    await eventually(() => b.upstreams.sockets[0]?.readableEnded === true);
    await b.client().send(get("/2")).has("x");
    b.front.forget("g1");
    await b.client().send(get("/3")).has("x");
    expect(b.upstreams.sockets.length).toBe(3);
  });

  it("is dropped if it sends what nobody asked for", async () => {
    await using b = await bench(
      {},
      answering((head) => ok("x") + (head.includes("/1") ? ok("evil") : "")),
    );
    const client = await b.client().send(get("/1")).has("x");
    await client.send(get("/2")).until(() => client.text.split("200 OK").length === 3);
    expect(client.text).toBe(ok("x") + ok("x"));
    expect(b.upstreams.sockets.length).toBe(2);
  });

  it("is dropped if that comes later", async () => {
    await using b = await bench(
      {},
      answering(() => ok("x")),
    );
    const client = await b.client().send(get("/1")).has("x");
    b.upstreams.sockets[0]?.write(ok("evil"));
    await eventually(() => b.upstreams.sockets[0]?.readableEnded === true);
    await client.send(get("/2")).until(() => client.text.split("200 OK").length === 3);
    expect(client.text).toBe(ok("x") + ok("x"));
  });
});

describe("an answer that breaks off", () => {
  it.each([
    ["by length", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"],
    ["in chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe"],
  ])("%s breaks off for the client, too", async (_, part) => {
    await using b = await bench({}, (socket) => {
      socket.on("data", () => socket.write(part, () => socket.destroy()));
    });
    const client = await b
      .client()
      .send(get("/x"))
      .until((c) => c.closed || c.ended);
    expect(client.text).toBe(part);
    await eventually(() => b.yard.open === 0);
    expect(b.yard.told).toEqual(["answered /x g1 200", "ended /x g1"]);
  });
});

describe("a client that goes", () => {
  it.each(["before the answer", "during the answer"])(
    "%s takes its upstream's connection with it",
    async (when) => {
      await using b = await bench({}, (socket) => {
        if (when === "during the answer") {
          socket.on("data", () =>
            socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"),
          );
        } else socket.resume();
      });
      const client = b.client().send(get("/x"));
      await eventually(() => b.upstreams.sockets.length === 1);
      if (when === "during the answer") await client.has("half");
      client.socket.destroy();
      await eventually(() => b.upstreams.sockets[0]?.readableEnded === true);
      expect(b.yard.open).toBe(0);
    },
  );
});

import { describe, expect, it } from "vitest";
import { answering, bench, eventually, get, ok, page } from "./front-fixture.ts";

const post = (path: string, body: string, ...lines: string[]) =>
  `${[`POST ${path} HTTP/1.1`, "Host: a.test", `Content-Length: ${body.length}`, ...lines].join("\r\n")}\r\n\r\n${body}`;
const pathOf = (head: string) => head.split(" ")[1] ?? "";

describe("requests and responses", () => {
  it("go through byte for byte, one after another on kept connections", async () => {
    const heads: string[] = [];
    await using b = await bench(
      {},
      answering((head) => (heads.push(head), ok(pathOf(head), "X:\ty"))),
    );
    const client = b.client();
    for (const path of ["/1", "/2", "/3"]) {
      client.send(get(path, "X-odd:  \tv\xe4l "));
      await client.has(`\r\n\r\n${path}`);
    }
    expect(heads).toEqual(["/1", "/2", "/3"].map((path) => get(path, "X-odd:  \tv\xe4l ")));
    expect(client.text).toBe(["/1", "/2", "/3"].map((path) => ok(path, "X:\ty")).join(""));
    expect(b.upstreams.sockets.length).toBe(1);
    expect(b.yard.open).toBe(0);
    expect(b.yard.told.slice(0, 2)).toEqual(["answered /1 g1 200", "ended /1 g1"]);
  });

  it("that are pipelined are answered in turn, one at a time at the upstream", async () => {
    let under = 0;
    let most = 0;
    await using b = await bench({}, (socket) => {
      socket.on("data", (chunk: Buffer) => {
        expect(chunk.toString("latin1").split("\r\n\r\n").length).toBe(2);
        most = Math.max(most, ++under);
        setImmediate(() => {
          under--;
          socket.write(ok(pathOf(chunk.toString("latin1"))));
        });
      });
    });
    const paths = Array.from({ length: 50 }, (_, index) => `/p${index}`);
    const client = b.client().send(paths.map((path) => get(path)).join(""));
    await client.has("/p49");
    expect(client.text).toBe(paths.map((path) => ok(path)).join(""));
    expect([most, b.upstreams.sockets.length]).toEqual([1, 1]);
  });

  it("without a body by their nature end with their head", async () => {
    await using b = await bench(
      {},
      answering((head) =>
        head.startsWith("HEAD")
          ? "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
          : "HTTP/1.1 304 Not\r\n\r\n",
      ),
    );
    const client = b.client();
    await client.send("HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n").has("Content-Length: 9\r\n\r\n");
    await client.send(get("/x")).has("304 Not\r\n\r\n");
    await client
      .send(get("/y"))
      .until(() => b.yard.told.includes("ended /y g1") || client.text.split("304").length === 3);
    expect(b.upstreams.sockets.length).toBe(1);
  });

  it("until the connection closes end with it, and so does the client's", async () => {
    await using b = await bench({}, (socket) => {
      socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\n\r\nall of it"));
    });
    const client = await b.client().send(get("/")).over();
    expect(client.text).toBe("HTTP/1.1 200 OK\r\n\r\nall of it");
  });

  it("of HTTP/1.0 get no interim response and close", async () => {
    await using b = await bench(
      {},
      answering(() => `HTTP/1.1 103 Early Hints\r\n\r\n${ok("x")}`),
    );
    const client = await b.client().send("GET / HTTP/1.0\r\nHost: a.test\r\n\r\n").over();
    expect(client.text).toBe(ok("x"));
  });

  it("pass interim responses on", async () => {
    await using b = await bench({}, (socket) => {
      socket.on("data", (chunk: Buffer) =>
        socket.write(chunk.includes("hi") ? ok("done") : "HTTP/1.1 100 Continue\r\n\r\n"),
      );
    });
    const client = b.client().send(post("/", "hi", "Expect: 100-continue").slice(0, -2));
    await client.has("100 Continue\r\n\r\n");
    await client.send("hi").has("done");
    expect(client.text).toBe(`HTTP/1.1 100 Continue\r\n\r\n${ok("done")}`);
    expect(b.yard.told).toEqual(["answered / g1 200", "ended / g1"]);
  });
});

describe("an answer of the front's own", () => {
  it("has its length, leaves the connection open, and for HEAD no body", async () => {
    await using b = await bench();
    b.yard.ownAnswer = async (_, head) => page(200, `own ${head.header("x") ?? ""}`);
    const client = b.client();
    await client.send(get("/metrics", "X: 1")).has("own 1");
    expect(client.text).toBe(
      "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nown 1",
    );
    client.text = "";
    await client.send("HEAD / HTTP/1.1\r\nHost: a.test\r\n\r\n").has("content-length: 4\r\n\r\n");
    await client.send(post("/", "some body", "X: 2")).has("own 2");
    await client.send(get("/last", "X: 3", "Connection: close")).over();
    expect(client.text).toContain("connection: close\r\n\r\nown 3");
    expect(client.text).not.toContain("own \r\n");
    expect(b.upstreams.sockets.length).toBe(0);
  });

  it("closes the connection if the request's body is still to come", async () => {
    await using b = await bench();
    b.yard.where = () => page(503, "not now");
    const client = await b
      .client()
      .send(post("/", "x".repeat(100)).slice(0, -50))
      .over();
    expect(client.text).toContain("connection: close\r\n\r\nnot now");
  });

  it("is what a malformed request gets, and nothing of it reaches an upstream", async () => {
    await using b = await bench();
    const client = await b
      .client()
      .send("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: a.test\r\n\r\n")
      .over();
    expect(client.text).toMatch(
      /^HTTP\/1.1 400 .*connection: close\r\n\r\nThe request has no Host\.$/s,
    );
    expect([b.upstreams.sockets.length, b.yard.flights.length]).toEqual([0, 0]);
  });

  it("is what a request with malformed chunks gets", async () => {
    await using b = await bench();
    const head = "POST / HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n";
    const client = await b.client().send(`${head}3\r\nabc\r\nGET / HTTP/1.1\r\n`).over();
    expect(client.text).toMatch(/^HTTP\/1.1 400 /);
    await eventually(() => b.yard.open === 0);
    expect(b.yard.told).toContain("ended / g1");
  });
});

describe("a request waits for its place", () => {
  it("and goes when it is given, with the body that came meanwhile", async () => {
    let seen = "";
    await using b = await bench({}, (socket) => {
      socket.on("data", (chunk: Buffer) => {
        seen += chunk.toString("latin1");
        if (seen.endsWith("0123456789")) socket.write(ok("done"));
      });
    });
    const given = Promise.withResolvers<typeof b.yard.upstream>();
    b.yard.where = () => given.promise;
    const request = post("/", "0123456789");
    const client = b.client().send(request.slice(0, -7));
    await eventually(() => b.yard.flights.length === 1);
    client.send(request.slice(-7));
    given.resolve(b.yard.upstream);
    await client.has("done");
    expect(seen).toBe(request);
  });

  it("and the place is given back if the client has gone meanwhile", async () => {
    await using b = await bench();
    const given = Promise.withResolvers<typeof b.yard.upstream>();
    let gone = false;
    b.yard.where = (_, signal) => {
      signal.addEventListener("abort", () => (gone = true));
      return given.promise;
    };
    const client = b.client().send(get("/"));
    await eventually(() => b.yard.flights.length === 1);
    client.socket.destroy();
    await eventually(() => gone);
    given.resolve(b.yard.upstream);
    await eventually(() => b.yard.told.length === 1);
    expect(b.yard.told).toEqual(["ended / g1"]);
    expect([b.yard.open, b.upstreams.sockets.length]).toEqual([0, 0]);
  });
});

describe("time", () => {
  it("without a response's head is limited; the upstream's connection is given up", async () => {
    await using b = await bench({ wallMsMax: 30 }, (socket) => void socket.resume());
    const client = b.client().send(get("/slow"));
    await client.has("overdue");
    await eventually(() => b.upstreams.sockets[0]?.readableEnded === true);
    expect(client.text).toMatch(/^HTTP\/1.1 504 /);
    expect(b.yard.told).toEqual(["overdue /slow g1", "ended /slow g1"]);
    b.upstreams.serve = answering(() => ok("next"));
    await client.send(get("/next")).has("next");
  });

  it("without a place is limited, too", async () => {
    await using b = await bench({ wallMsMax: 30 });
    b.yard.where = () => new Promise(() => {});
    const client = await b.client().send(get("/")).has("\r\n\r\n");
    expect(client.text).toMatch(/^HTTP\/1.1 504 /);
    expect(b.yard.told).toEqual(["overdue / unplaced"]);
  });

  it("begins anew while the request's body comes", async () => {
    await using b = await bench({ wallMsMax: 150 }, (socket) => {
      let seen = "";
      socket.on("data", (chunk: Buffer) => {
        seen += chunk.toString("latin1");
        if (seen.endsWith("0123456789")) socket.write(ok("all of it"));
      });
    });
    const request = post("/", "0123456789");
    const client = b.client().send(request.slice(0, -10));
    for (const byte of "0123456789") {
      await new Promise((resolve) => setTimeout(resolve, 30));
      client.send(byte);
    }
    await client.has("\r\n\r\n");
    expect(client.text).toBe(ok("all of it"));
  });

  it("after a response's head is not limited", async () => {
    await using b = await bench({ wallMsMax: 20 }, (socket) => {
      socket.on("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na");
        setTimeout(() => socket.write("b"), 100);
      });
    });
    const client = await b.client().send(get("/")).has("\r\n\r\nab");
    expect(client.closed).toBe(false);
  });

  it("for a head is limited, and so is that without any request", async () => {
    await using b = await bench(
      { headMsMax: 40, idleMsMax: 40 },
      answering(() => ok("x")),
    );
    const slow = b.client().send("GET / HT");
    const silent = b.client();
    const kept = b.client().send(get("/"));
    await Promise.all([slow.over(), silent.over(), kept.over()]);
    expect(slow.text).toMatch(/^HTTP\/1.1 408 /);
    expect([silent.text, kept.text]).toEqual(["", ok("x")]);
  });
});

describe("a head that comes byte by byte", () => {
  it("is read when it is complete", async () => {
    await using b = await bench(
      {},
      answering((head) => ok(pathOf(head))),
    );
    const client = b.client();
    for (const byte of get("/drip")) {
      client.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await client.has("/drip");
  });

  it("is refused as soon as it cannot become one", async () => {
    await using b = await bench();
    for (const text of [
      "GET / HTTP/1.1\r\nHost: a.test\r\nX: y\n",
      `GET / HTTP/1.1\r\nX: ${"y".repeat(66_000)}`,
    ]) {
      const client = b.client().send(text.slice(0, 20));
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect((await client.send(text.slice(20)).over()).text).toMatch(/^HTTP\/1.1 4(?:00|31) /);
    }
  });
});

describe("early responses", () => {
  it("are passed on, and the connection closes if the body does not end", async () => {
    await using b = await bench(
      { lingerMsMax: 40 },
      answering(() => ok("enough")),
    );
    const client = b.client().send(post("/", "x".repeat(1_000)).slice(0, -500));
    await client.over();
    expect(client.text).toBe(ok("enough"));
    await eventually(() => b.yard.open === 0);
  });

  it("keep the connection if the body ends", async () => {
    let seen = "";
    await using b = await bench({}, (socket) => {
      socket.on("data", (chunk: Buffer) => {
        if (seen === "") socket.write(ok("answer0"));
        seen += chunk.toString("latin1");
        if (seen.endsWith(get("/next"))) socket.write(ok(`answer${seen.length}`));
      });
    });
    const request = post("/", "x".repeat(1_000));
    const client = b.client().send(request.slice(0, -500));
    await client.has("answer0");
    client.send(request.slice(-500));
    await client.send(get("/next")).has(`answer${request.length + get("/next").length}`);
    expect(b.upstreams.sockets.length).toBe(1);
  });
});

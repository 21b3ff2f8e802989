import { Agent, request } from "node:http";
import { describe, expect, it } from "vitest";
import { answering, bench, eventually, get, ok } from "./front-fixture.ts";

describe("a draining front", () => {
  it("fails no request of busy clients that keep their connections", async () => {
    await using b = await bench({}, (socket) => {
      socket.on("data", () => setTimeout(() => socket.write(ok("x")), 2));
    });
    const port = b.front.port ?? 0;
    let served = 0;
    const failed: string[] = [];
    let refused = 0;
    const one = async () => {
      // Node's own client: it takes a connection again only if the last answer left it open.
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (refused === 0) {
        await new Promise<void>((resolve) => {
          const req = request({ port, host: "127.0.0.1", agent, headers: { host: "a.test" } });
          req.on("response", (response) => {
            response.resume();
            response.on("end", () => (served++, resolve()));
          });
          req.on("error", (error: NodeJS.ErrnoException) => {
            if (error.code === "ECONNREFUSED") refused++;
            else failed.push(`${error.code}`);
            resolve();
          });
          req.end();
        });
      }
    };
    const clients = Array.from({ length: 16 }, one);
    await eventually(() => served > 200);
    await b.front.drain(10_000);
    await Promise.all(clients);
    expect(failed).toEqual([]);
    expect([b.front.connections, b.yard.open]).toEqual([0, 0]);
  });

  it("says close in the next answer, closes what is unused, and cuts the rest when its time is over", async () => {
    await using b = await bench(
      { drainIdleMs: 20 },
      answering((head) => (head.includes("/never") ? null : ok("x", "Connection: keep-alive"))),
    );
    const busy = await b.client().send(get("/1")).has("x");
    const idle = await b.client().send(get("/1")).has("x");
    const stuck = b.client().send(get("/never"));
    await eventually(() => b.yard.flights.length === 3);
    const drained = b.front.drain(200);
    await busy.send(get("/2")).over();
    expect(busy.text.slice(ok("x", "Connection: keep-alive").length)).toBe(
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nconnection: close\r\n\r\nx",
    );
    await idle.over();
    expect(idle.text).toBe(ok("x", "Connection: keep-alive"));
    await drained;
    await stuck.over();
    expect(stuck.text).toBe("");
    await eventually(() => b.yard.open === 0);
  });

  it("is over as soon as nothing is left", async () => {
    await using b = await bench(
      { drainIdleMs: 20 },
      answering(() => ok("x")),
    );
    const used = await b.client().send(get("/1")).has("x");
    const silent = b.client();
    await eventually(() => b.front.connections === 2);
    await b.front.drain(3_600_000);
    await Promise.all([used.over(), silent.over()]);
    expect([used.text, silent.text]).toEqual([ok("x"), ""]);
  });
});

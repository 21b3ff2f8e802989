import { describe, expect, it } from "vitest";
import { answering, bench, eventually, get, ok } from "./front-fixture.ts";

const MIB = 1_048_576;

describe("back-pressure", () => {
  it("of a client that does not read reaches the upstream", async () => {
    const total = 64 * MIB;
    let written = 0;
    await using b = await bench({}, (socket) => {
      socket.on("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
        const more = () => {
          while (written < total) {
            written += MIB;
            if (!socket.write(Buffer.alloc(MIB))) return void socket.once("drain", more);
          }
        };
        more();
      });
    });
    const client = b.client().send(get("/"));
    client.socket.pause();
    await settled(() => written);
    expect(written).toBeLessThan(24 * MIB);
    client.socket.removeAllListeners("data");
    let read = 0;
    client.socket.on("data", (chunk: Buffer) => (read += chunk.length));
    client.socket.resume();
    await eventually(() => read > total);
    await eventually(() => b.yard.open === 0);
  });

  it("of an upstream that does not read reaches the client", async () => {
    const total = 64 * MIB;
    await using b = await bench({}, (socket) => void socket.pause());
    const client = b.client();
    client.send(`POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: ${total}\r\n\r\n`);
    client.send(Buffer.alloc(total));
    await settled(() => client.socket.writableLength);
    expect(client.socket.writableLength).toBe(total);
    let read = 0;
    const socket = b.upstreams.sockets[0];
    socket?.on("data", (chunk: Buffer) => {
      read += chunk.length;
      if (read > total) socket.write(ok("all"));
    });
    socket?.resume();
    await client.has("all");
  });

  it("holds for a client that asks and asks but takes no answers", async () => {
    let answers = 0;
    const body = "x".repeat(32_768);
    await using b = await bench(
      {},
      answering(() => (answers++, ok(body))),
    );
    const client = b.client();
    client.socket.pause();
    for (let i = 0; i < 2_000; i++) client.send(get("/"));
    await settled(() => answers);
    expect(answers).toBeLessThan(700);
    client.socket.resume();
    await eventually(() => answers === 2_000);
  });

  it("ends for a client that has stopped reading for too long", async () => {
    await using b = await bench({ clientStallMsMax: 50 }, (socket) => {
      socket.on("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * MIB}\r\n\r\n`);
        socket.write(Buffer.alloc(64 * MIB));
      });
    });
    const client = b.client().send(get("/"));
    client.socket.pause();
    await eventually(() => b.upstreams.sockets[0]?.closed === true);
    expect([b.front.connections, b.yard.open]).toEqual([0, 0]);
  });
});

/** Until the number has not changed for a while. */
async function settled(read: () => number): Promise<void> {
  for (let same = 0, last = -1; same < 10;) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    const now = read();
    same = now === last ? same + 1 : 0;
    last = now;
  }
}

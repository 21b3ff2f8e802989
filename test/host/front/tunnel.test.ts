import { describe, expect, it } from "vitest";
import { bench, eventually, get, ok } from "./front-fixture.ts";

const upgrade = get("/ws", "Connection: Upgrade", "Upgrade: websocket");
const switched =
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";

async function tunnel() {
  const b = await bench({ wallMsMax: 50, idleMsMax: 50, lingerMsMax: 300 }, (socket) => {
    let open = false;
    socket.on("data", (chunk: Buffer) => {
      if (open) socket.write(`echo:${chunk.toString("latin1")}`);
      else {
        open = true;
        socket.write(`${switched}first`);
        const early = chunk.toString("latin1").split("\r\n\r\n")[1] ?? "";
        if (early !== "") socket.write(`echo:${early}`);
      }
    });
  });
  return b;
}

describe("after a 101", () => {
  it("bytes go in both directions, however long it lasts", async () => {
    await using b = await tunnel();
    const client = await b.client().send(upgrade).has("first");
    expect(client.text).toBe(`${switched}first`);
    await new Promise((resolve) => setTimeout(resolve, 120));
    await client.send("GET / HTTP/1.1\r\n\r\n\0\n").has("\0");
    expect(client.text).toBe(`${switched}firstecho:GET / HTTP/1.1\r\n\r\n\0\n`);
    expect(b.yard.told).toEqual(["answered /ws g1 101"]);
  });

  it("what the client sent before it knew follows", async () => {
    await using b = await tunnel();
    const client = await b.client().send(`${upgrade}early`).has("echo:early");
    expect(client.text).toBe(`${switched}firstecho:early`);
  });

  it("the end of one side is told to the other, which may go on", async () => {
    await using b = await tunnel();
    const client = await b.client().send(upgrade).has("first");
    client.socket.end();
    await eventually(() => b.upstreams.sockets[0]?.readableEnded === true);
    b.upstreams.sockets[0]?.end("last words");
    await client.has("last words");
    await client.over();
    await eventually(() => b.yard.open === 0);
    expect(b.yard.told.at(-1)).toBe("ended /ws g1");
  });

  it("the upstream's end lets the client finish", async () => {
    await using b = await tunnel();
    const client = await b.client().send(upgrade).has("first");
    b.upstreams.sockets[0]?.end("bye");
    await client.over();
    client.send("too");
    client.socket.end();
    await eventually(() => b.yard.open === 0);
  });

  it.each(["client", "upstream"] as const)("the %s's death closes the other side", async (who) => {
    await using b = await tunnel();
    const client = await b.client().send(upgrade).has("first");
    if (who === "client") {
      client.socket.resetAndDestroy();
      await eventually(() => b.upstreams.sockets[0]?.readableEnded === true);
    } else {
      b.upstreams.sockets[0]?.destroy();
      await client.over();
    }
    await eventually(() => b.yard.open === 0 && b.front.connections === 0);
  });
});

describe("a 101 that nobody asked for", () => {
  it("is no response", async () => {
    await using b = await tunnel();
    const client = await b.client().send(get("/")).has("did not ask for");
    expect(client.text).toMatch(/^HTTP\/1.1 502 /);
  });
});

describe("an upgrade that is refused", () => {
  it("leaves the client's connection usable, and the upstream's not", async () => {
    await using b = await bench({}, (socket, index) => {
      socket.on("data", () => socket.write(ok(`plain${index}`)));
    });
    const client = await b.client().send(upgrade).has("plain0");
    await client.send(get("/next")).has("plain1");
  });
});

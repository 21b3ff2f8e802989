import { spawnSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import { describe, expect, it } from "vitest";
import { openPublicSocket } from "../../../src/host/public-socket.ts";
import { QUEUE, queued, somaxconn } from "../queued-connections.ts";
import { type Bench, type Client, answering, bench, eventually, get, ok } from "./front-fixture.ts";

const HALF = "GET /half HTTP/1.1\r\nHost: a.te";
const reply = answering((head) => (head.includes("/never") ? null : ok("served")));

/** One after the other, so that it is known who has waited longest. */
async function crowd(b: Bench, texts: readonly string[]): Promise<Client[]> {
  const clients: Client[] = [];
  for (const text of texts) {
    const client = b.client().send(text);
    clients.push(client);
    await eventually(() => b.front.connections === clients.length);
    if (text.includes("/never")) await eventually(() => b.yard.open > 0);
    else if (text !== HALF) await client.has("served");
  }
  return clients;
}
const stay = (clients: readonly Client[]) => clients.map(({ closed, ended }) => !closed && !ended);

describe("a front with as many connections as it may have", () => {
  it("answers a new client all the same: an unfinished head makes room, the oldest first", async () => {
    await using b = await bench({ connectionsMax: 4 }, reply);
    const clients = await crowd(b, [HALF, HALF, get("/never"), HALF]);
    for (let turn = 0; turn < 2; turn++) await b.client().send(get("/")).has("served");
    await clients[0]?.over();
    // The second newcomer took the place of the first, which had been kept idle.
    expect(stay(clients)).toEqual([false, true, true, true]);
    expect(b.front.connections).toBe(4);
    expect(b.yard.told).not.toContain("refused 408");
  });

  it("closes an idle connection before one whose head has begun", async () => {
    await using b = await bench({ connectionsMax: 3 }, reply);
    const clients = await crowd(b, [HALF, get("/1"), get("/2")]);
    await b
      .client()
      .send(get("/never"))
      .until(() => true);
    await clients[1]?.over();
    expect(stay(clients)).toEqual([true, false, true]);
    await clients[0]?.send("st\r\n\r\n").has("served");
  });

  it("closes the new one if all others carry requests", async () => {
    await using b = await bench({ connectionsMax: 2 }, reply);
    const clients = await crowd(b, [get("/never"), get("/never")]);
    await b.client().send(get("/")).over();
    expect(stay(clients)).toEqual([true, true]);
    expect(b.yard.open).toBe(2);
  });

  it("makes room of refused clients that do not leave", async () => {
    await using b = await bench({ connectionsMax: 1, lingerMsMax: 3_600_000 }, reply);
    const refused = await b.client().send("nonsense\r\n\r\n").has("400");
    await b.client().send(get("/")).has("served");
    await refused.until(() => refused.ended);
    expect(b.front.connections).toBe(1);
  });

  it("cuts no answer that is still on its way to a slow client", async () => {
    const body = "x".repeat(16_777_216);
    await using b = await bench(
      { connectionsMax: 1 },
      answering(() => ok(body)),
    );
    const slow = b.client();
    slow.socket.pause();
    slow.send(get("/"));
    await eventually(() => b.yard.open === 1);
    await b.client().send(get("/")).over();
    slow.socket.resume();
    await slow.until(() => slow.text.length >= ok(body).length);
  });
});

/** An address of this machine that others could use, too. */
const address = Object.values(networkInterfaces())
  .flatMap((all) => all ?? [])
  .find(({ internal, family }) => !internal && family === "IPv4")?.address;

describe("one client address", () => {
  it.skipIf(address === undefined)("has a ceiling of its own", async () => {
    await using b = await bench({ clientConnectionsMax: 2 }, reply, address);
    const clients = await crowd(b, [HALF, HALF]);
    await b.client().send(get("/")).over();
    expect(stay(clients)).toEqual([true, true]);
    clients[0]?.socket.destroy();
    await eventually(() => b.front.connections === 1);
    await b.client().send(get("/")).has("served");
  });

  it("has none if it is this machine's own: a reverse proxy brings many clients", async () => {
    await using b = await bench({ clientConnectionsMax: 2 }, reply);
    await crowd(b, [HALF, HALF]);
    await b.client().send(get("/")).has("served");
  });
});

it.skipIf(somaxconn() < QUEUE)(
  "a front that has taken over a socket leaves it its long queue",
  async () => {
    const socket = await openPublicSocket({ host: "127.0.0.1", port: 0, patienceMs: 0 }, {});
    const source = (name: string) =>
      JSON.stringify(new URL(`../../../src/host/front/${name}.ts`, import.meta.url).href);
    const script = `
      const { Front } = await import(${source("front")});
      const { FRONT_LIMITS: limits } = await import(${source("front-limits")});
      await new Front({ limits, now: () => 0 }).listen(3);
      process.exit(0);`;
    const { status } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "ignore", "inherit", socket.fd],
    });
    expect(status).toBe(0);
    await queued(socket.port);
    socket.close();
  },
);

import { createServer } from "node:http";
import { rmSync } from "node:fs";
import fc from "fast-check";
import { expect, it } from "vitest";
import { bench, eventually, get, socketPath } from "./front-fixture.ts";

/** The same attacks each time, so that a change is judged by its own; others are tried with FRONT_FUZZ_SEED. */
const SEED = Number(process.env["FRONT_FUZZ_SEED"] ?? 20_261_123);

const H = "Host: a.test\r\n";
const SEEDS = [
  get("/a"),
  `POST /b HTTP/1.1\r\n${H}Content-Length: 5\r\n\r\nhello${get("/c")}`,
  `POST /d HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nX: y\r\n\r\n${get("/e")}`,
  `GET http://a.test/f HTTP/1.1\r\n${H}Connection: keep-alive\r\nX:  y\t\r\n\r\n${get("/g")}`,
  `OPTIONS /h HTTP/1.0\r\n${H}Connection: keep-alive\r\n\r\n`,
  `GET /i HTTP/1.1\r\n${H}MF-CF-Blob: {}\r\nx-switchback-internal: 1\r\nUpgrade: h2c\r\n\r\n${get("/j")}`,
];
/** What attacks are made of. */
const PIECES = [
  "\r", "\n", "\r\n", "\0", "\t", " ", "\x0b", ":", ";", ",", "0\r\n\r\n", "-1", "0x5", "5\r\n", "\xff", "#",
  "Content-Length: 5\r\n", "Content-Length:0\r\n", "Transfer-Encoding: chunked\r\n",
  "Transfer-Encoding: identity\r\n", "transfer-encoding\t:chunked\r\n", "Host: b.test\r\n",
  "GET /smuggled HTTP/1.1\r\nHost: b.test\r\n\r\n", " HTTP/1.1\r\n", "Connection: close\r\n",
  "Connection: Content-Length\r\n", "Expect: 100-continue\r\n", "Upgrade: websocket\r\nConnection: Upgrade\r\n",
]; // prettier-ignore
/** A request that was cut in the middle; bytes above ASCII in a path, which Node does not take. */
const NO_DISAGREEMENT = ["HPE_INVALID_EOF_STATE", "HPE_INVALID_URL"];
type Edit = readonly [at: number, cut: number, piece: string];

function mutated(seed: string, edits: readonly Edit[]): string {
  return edits.reduce((text, [at, cut, piece]) => {
    const start = at % (text.length + 1);
    return text.slice(0, start) + piece + text.slice(start + cut);
  }, seed);
}

/** Node's own server as the upstream: what it makes of the bytes that the front lets through. */
async function oracle() {
  const path = socketPath();
  const requests: string[] = [];
  const errors: string[] = [];
  const server = createServer({ insecureHTTPParser: false }, (request, response) => {
    requests.push(`${request.method} ${request.headers.host} ${request.url}`);
    request.on("error", () => {});
    request.resume();
    request.on("end", () => response.end("x"));
  });
  server.on("upgrade", (request, socket) => {
    requests.push(`${request.method} ${request.headers.host} ${request.url}`);
    socket.end("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  server.on("checkContinue", (request, response) => server.emit("request", request, response));
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    const code = error.code ?? "";
    if (code.startsWith("HPE_") && !NO_DISAGREEMENT.includes(code)) errors.push(code);
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { path, requests, errors, server };
}

it("whatever a client sends: the front ends it, and lets through what Node reads the same way", async () => {
  await using node = await disposable();
  await using b = await bench({ headMsMax: 60, idleMsMax: 60, wallMsMax: 60, lingerMsMax: 60 });
  b.yard.upstream = { name: "node", socketPath: node.path };
  const edit: fc.Arbitrary<Edit> = fc.tuple(
    fc.nat(400),
    fc.constantFrom(0, 0, 1, 2, 5),
    fc.constantFrom(...PIECES, ""),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.tuple(fc.constantFrom(...SEEDS), fc.array(edit, { minLength: 1, maxLength: 3 })),
        {
          minLength: 40,
          maxLength: 40,
        },
      ),
      async (attacks) => {
        node.requests.length = node.errors.length = 0;
        b.yard.flights.length = 0;
        const clients = attacks.map(([seed, edits]) => b.client().send(mutated(seed, edits)));
        // Each is over by itself: a front that waits for ever would hang here.
        await Promise.all(clients.map((client) => client.over()));
        for (const client of clients) client.socket.destroy();
        await eventually(() => b.front.connections === 0);
        const flights = b.yard.flights.map((flight) => flight.host + " " + flight.method);
        const seen = node.requests.map((line) => {
          const [method = "", host = ""] = line.split(" ");
          return host.replace(/:\d*$/, "").replace(/\.$/, "").toLowerCase() + " " + method;
        });
        expect(node.errors).toEqual([]);
        // Of a flight that was cut off at once Node may have seen nothing; nothing else may it see.
        for (const request of seen) {
          const index = flights.indexOf(request);
          expect(index, `${request} is no request to the front`).toBeGreaterThanOrEqual(0);
          flights.splice(index, 1);
        }
        expect(b.yard.open).toBe(0);
      },
    ),
    { numRuns: 60, seed: SEED },
  );
});

async function disposable() {
  const node = await oracle();
  return {
    ...node,
    async [Symbol.asyncDispose]() {
      node.server.closeAllConnections();
      node.server.close();
      rmSync(node.path, { force: true });
    },
  };
}

import type { Socket } from "node:net";
import fc from "fast-check";
import { expect, it } from "vitest";
import { bench, type Bench } from "./front-fixture.ts";

/** One request and its response, as bytes. */
interface Pair {
  readonly request: string;
  readonly response: string;
}

const data = fc
  .string({ unit: "binary", maxLength: 60 })
  .map((text) => Buffer.from(text).toString("latin1"));
const chunks = fc
  .record({
    parts: fc.array(data.filter((text) => text !== "")),
    extension: fc.constantFrom("", ";a", ';a="b"'),
    trailers: fc.constantFrom("", "X-Sum: 1\r\n"),
  })
  .map(
    ({ parts, extension, trailers }) =>
      `${parts.map((part) => `${part.length.toString(16)}${extension}\r\n${part}\r\n`).join("")}0\r\n${trailers}\r\n`,
  );
/** Header lines of the framing, and the body in it. */
const framed = fc.oneof(
  data.map((body) => ({ lines: [`Content-Length: ${body.length}`], body })),
  chunks.map((body) => ({ lines: ["transfer-encoding:chunked"], body })),
);
const headers = fc.array(fc.constantFrom("X:y", "Cookie: a=b; c", "X-Long:  é\t ", "Via: 1.1 z"));

const pair: fc.Arbitrary<Pair> = fc
  .record({
    method: fc.constantFrom("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"),
    path: fc.constantFrom("/", "/a?b=c", "//x/../y", "/%00"),
    headers,
    request: fc.option(framed),
    status: fc.constantFrom("200 OK", "404 Not Found", "204 No Content", "304 ", "500 Oh no"),
    interim: fc.constantFrom("", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    answered: headers,
    response: framed,
  })
  .map(({ method, path, headers: sent, request, status, interim, answered, response }) => {
    const bare = method === "HEAD" || status.startsWith("204") || status.startsWith("304");
    const lines = [
      `${method} ${path} HTTP/1.1`,
      ...sent,
      "Host: a.test",
      ...(request?.lines ?? []),
    ];
    const reply = [`HTTP/1.1 ${status}`, ...answered, ...response.lines];
    return {
      request: `${lines.join("\r\n")}\r\n\r\n${request?.body ?? ""}`,
      response: `${interim}${reply.join("\r\n")}\r\n\r\n${bare ? "" : response.body}`,
    };
  });

/** Writes `text` in pieces that arrive apart, as far as the system lets them. */
async function inPieces(socket: Socket, text: string, cuts: readonly number[]): Promise<void> {
  const edges = [...new Set([0, ...cuts.map((cut) => cut % (text.length + 1)), text.length])];
  edges.sort((a, b) => a - b);
  for (let i = 1; i < edges.length; i++) {
    socket.write(Buffer.from(text.slice(edges[i - 1], edges[i]), "latin1"));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** An upstream that knows what must come, answers it in pieces, and says where it differs. */
function expecting(b: Bench, pairs: readonly Pair[], cuts: readonly number[]): string[] {
  const wrong: string[] = [];
  let turn = 0;
  b.upstreams.serve = (socket) => {
    let seen = "";
    socket.on("data", (chunk: Buffer) => {
      seen += chunk.toString("latin1");
      const next = pairs[turn];
      if (next === undefined || !next.request.startsWith(seen)) wrong.push(seen);
      else if (seen === next.request) {
        seen = "";
        turn++;
        void inPieces(socket, next.response, cuts);
      }
    });
  };
  return wrong;
}

it("requests and responses, cut anywhere and pipelined, arrive byte for byte and never run together", async () => {
  await using b = await bench();
  await fc.assert(
    fc.asyncProperty(
      fc.array(pair, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(), { maxLength: 12 }),
      fc.array(fc.nat(), { maxLength: 6 }),
      async (pairs, requestCuts, responseCuts) => {
        const wrong = expecting(b, pairs, responseCuts);
        b.front.forget("g1");
        const client = b.client();
        const sent = inPieces(client.socket, pairs.map((p) => p.request).join(""), requestCuts);
        const all = pairs.map((p) => p.response).join("");
        await client.until(() => client.text.length >= all.length || client.closed || client.ended);
        await sent;
        client.socket.destroy();
        expect(wrong).toEqual([]);
        expect(client.text).toBe(all);
      },
    ),
    { numRuns: 300, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false },
  );
  expect(b.yard.told.some((line) => line.startsWith("lost"))).toBe(false);
});

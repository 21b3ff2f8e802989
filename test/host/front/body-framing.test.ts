import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BodyFraming } from "../../../src/host/front/body-framing.ts";
import { CHUNKED, UNTIL_CLOSE } from "../../../src/host/front/response-head.ts";

/** How many bytes of `text`, given in pieces, are of the body; -1: malformed; null: it goes on. */
function measure(kind: number, text: string, cuts: readonly number[] = []): number | null {
  const body = new BodyFraming();
  body.begin(kind);
  const edges = [...new Set([0, ...cuts.map((cut) => cut % (text.length + 1)), text.length])];
  edges.sort((a, b) => a - b);
  for (let i = 1; i < edges.length; i++) {
    const piece = Buffer.from(text.slice(edges[i - 1], edges[i]), "latin1");
    const end = body.scan(piece, 0);
    if (end < 0) return -1;
    if (body.done) return (edges[i - 1] ?? 0) + end;
    expect(end).toBe(piece.length);
  }
  return body.done ? 0 : null;
}

describe("a body in chunks ends where the grammar says", () => {
  it.each([
    ["0\r\n\r\n"],
    ["5\r\nhello\r\n0\r\n\r\n"],
    ["005\r\nhello\r\n000\r\n\r\n"],
    ['a;x=1;y="z"\r\n0123456789\r\n0;last\r\n\r\n'],
    ["A\r\n0\r\n\r\n01234\r\n0\r\n\r\n"],
    ["0\r\nTrailer: one\r\nX:\r\n\r\n"],
  ])("%j", (text) => {
    expect(measure(CHUNKED, `${text}GET / HTTP/1.1`)).toBe(text.length);
    for (let cut = 0; cut < text.length; cut++) {
      expect(measure(CHUNKED, `${text}GET`, [cut])).toBe(text.length);
      expect(measure(CHUNKED, text.slice(0, cut))).toBe(null);
    }
  });

  it.each([
    ["no size", "\r\nhello\r\n0\r\n\r\n"],
    ["no digits", ";x\r\n\r\n"],
    ["a sign", "+5\r\nhello\r\n0\r\n\r\n"],
    ["0x", "0x5\r\nhello\r\n0\r\n\r\n"],
    ["a space before the size", " 5\r\nhello\r\n0\r\n\r\n"],
    ["a space after the size", "5 \r\nhello\r\n0\r\n\r\n"],
    ["a size that is too long", "1000000000000\r\nhello"],
    ["a bare LF after the size", "5\nhello\r\n0\r\n\r\n"],
    ["a bare CR after the size", "5\rhello\r\n0\r\n\r\n"],
    ["a bare LF in an extension", "5;a\nhello\r\n0\r\n\r\n"],
    ["a NUL in an extension", "5;a\0\r\nhello\r\n0\r\n\r\n"],
    ["an extension without name", "5;\r\nhello\r\n0\r\n\r\n"],
    ["an extension that is a value", "5;=a\r\nhello\r\n0\r\n\r\n"],
    ["an extension without its value", "5;a=\r\nhello\r\n0\r\n\r\n"],
    ["a space in an extension", "5; a\r\nhello\r\n0\r\n\r\n"],
    ["an open quote", '5;a="b\r\nhello\r\n0\r\n\r\n'],
    ["more after a quote", '5;a="b"c\r\nhello\r\n0\r\n\r\n'],
    ["an extension without end", `5;${"x".repeat(5_000)}`],
    ["more data than the size", "4\r\nhello\r\n0\r\n\r\n"],
    ["less data than the size", "6\r\nhello\r\n0\r\n\r\n"],
    ["a bare LF after data", "5\r\nhello\n0\r\n\r\n"],
    ["data without an end of line", "5\r\nhello0\r\n\r\n"],
    ["a bare LF after the last chunk", "0\n\r\n"],
    ["a bare LF at the end", "0\r\n\n"],
    ["a request for a trailer", "0\r\nGET / HTTP/1.1\r\n\r\n"],
    ["a folded trailer", "0\r\nX: y\r\n z\r\n\r\n"],
    ["a space before the trailer's colon", "0\r\nX : y\r\n\r\n"],
    ["a bare LF in a trailer", "0\r\nX: y\nZ: a\r\n\r\n"],
    ["a length in a trailer", "0\r\nContent-length: 5\r\n\r\n"],
    ["an encoding in a trailer", "0\r\nTransfer-Encoding: chunked\r\n\r\n"],
    ["the connection's end in a trailer", "0\r\nConnection: close\r\n\r\n"],
    ["a trailer without name", "0\r\n: 5\r\n\r\n"],
    ["trailers without end", `0\r\n${"X: y\r\n".repeat(5_000)}`],
  ])("and not with %s", (_, text) => {
    expect(measure(CHUNKED, text)).toBe(-1);
    expect(
      measure(
        CHUNKED,
        text,
        Array.from({ length: 40 }, (_byte, index) => index),
      ),
    ).toBe(-1);
  });

  it("whatever the data, the extensions and the cuts", () => {
    const chunk = fc.record({
      data: fc.string({ unit: "binary", minLength: 1, maxLength: 40 }).map(latin1),
      upper: fc.boolean(),
      extension: fc.constantFrom("", ";a", ";a=b", ';a="b;\\\"c"', ";a;b=c"),
    });
    fc.assert(
      fc.property(
        fc.array(chunk),
        fc.array(fc.constantFrom("X: y\r\n", "Content-Length-Not: 5\r\n")),
        fc.array(fc.nat()),
        (chunks, trailers, cuts) => {
          const body = chunks.map(({ data, upper, extension }) => {
            const size = data.length.toString(16);
            return `${upper ? size.toUpperCase() : size}${extension}\r\n${data}\r\n`;
          });
          const text = `${body.join("")}0\r\n${trailers.join("")}\r\n`;
          expect(measure(CHUNKED, `${text}GET / `, cuts)).toBe(text.length);
        },
      ),
    );
  });
});

describe("a body with a length", () => {
  it("ends after as many bytes, wherever they are cut", () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), fc.array(fc.nat()), (length, more, cuts) => {
        expect(measure(length, "x".repeat(length + more), cuts)).toBe(length);
        if (length > 0) expect(measure(length, "x".repeat(length - 1), cuts)).toBe(null);
      }),
    );
  });
});

describe("a body until the connection closes", () => {
  it("takes everything", () => {
    const body = new BodyFraming();
    body.begin(UNTIL_CLOSE);
    expect(body.scan(Buffer.from("0\r\n\r\n"), 0)).toBe(5);
    expect([body.done, body.untilClose]).toEqual([false, true]);
  });
});

function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

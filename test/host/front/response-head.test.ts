import { describe, expect, it } from "vitest";
import {
  CHUNKED,
  UNTIL_CLOSE,
  closing,
  parseResponseHead,
} from "../../../src/host/front/response-head.ts";

const parse = (text: string, toHead = false) =>
  parseResponseHead(Buffer.from(text, "latin1"), 0, toHead);
const head = (...lines: string[]) => `${lines.join("\r\n")}\r\n\r\n`;

describe("a response's body", () => {
  it.each([
    ["has a length", head("HTTP/1.1 200 OK", "content-LENGTH: 12 "), 12, false],
    ["comes in chunks", head("HTTP/1.1 200 OK", "Transfer-Encoding:Chunked"), CHUNKED, false],
    ["goes until the connection closes", head("HTTP/1.1 200 OK"), UNTIL_CLOSE, true],
    [
      "may be the last",
      head("HTTP/1.1 200 ", "Content-Length: 1", "Connection: x, close"),
      1,
      true,
    ],
    ["of HTTP/1.0 is the last", head("HTTP/1.0 200 OK", "Content-Length: 1"), 1, true],
    ["is not there with 204", head("HTTP/1.1 204 No", "Content-Length: 5"), 0, false],
    ["is not there with 304", head("HTTP/1.1 304 No", "Transfer-Encoding: chunked"), 0, false],
    ["is not there with 1xx", head("HTTP/1.1 103 Early Hints", "Link: </x>"), 0, false],
  ])("%s", (_, text, body, close) => {
    expect(parse(text)).toMatchObject({ body, close, end: text.length });
    for (let cut = 0; cut < text.length; cut++) expect(parse(text.slice(0, cut))).toBe(null);
  });

  it("is not there for HEAD", () => {
    expect(parse(head("HTTP/1.1 200 OK", "Content-Length: 5"), true)).toMatchObject({ body: 0 });
    expect(parse(head("HTTP/1.1 200 OK"), true)).toMatchObject({ body: 0, close: false });
  });
});

describe("what is no response of ours", () => {
  it.each([
    ["another protocol", head("SSH-2.0-OpenSSH_9.6")],
    ["HTTP/2", head("HTTP/2.0 200 OK", "Content-Length: 1")],
    ["a status that is no number", head("HTTP/1.1 2xx OK", "Content-Length: 1")],
    [
      "length and chunks",
      head("HTTP/1.1 200 OK", "Content-Length: 1", "Transfer-Encoding: chunked"),
    ],
    ["two lengths", head("HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 1")],
    ["a length that is no number", head("HTTP/1.1 200 OK", "Content-Length: x")],
    ["another encoding", head("HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked")],
    ["a bare LF", "HTTP/1.1 200 OK\nContent-Length: 1\n\n"],
    ["a bare LF in a value", head("HTTP/1.1 200 OK", "X: a\nContent-Length: 1")],
    ["a bare CR in a value", head("HTTP/1.1 200 OK", "X: a\rContent-Length: 1")],
    ["a folded line", head("HTTP/1.1 200 OK", "X: a", " Content-Length: 1")],
    ["a space before the colon", head("HTTP/1.1 200 OK", "Content-Length : 1")],
  ])("%s", (_, text) => {
    expect(parse(text)).toBe("malformed");
  });
});

describe("a response of a front that drains", () => {
  it("says that it is the last, once", () => {
    const text = head(
      "HTTP/1.1 200 OK",
      "Connection: keep-alive",
      "Keep-Alive: timeout=5",
      "X: \xe4",
    );
    const bytes = Buffer.from(`xx${text}body`, "latin1");
    const parsed = parseResponseHead(bytes, 2, false);
    if (parsed === null || parsed === "malformed") throw new Error("not a head");
    expect(closing(bytes, 2, parsed).toString("latin1")).toBe(
      head("HTTP/1.1 200 OK", "X: \xe4", "connection: close"),
    );
  });
});

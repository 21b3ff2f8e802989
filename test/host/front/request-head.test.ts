import { describe, expect, it } from "vitest";
import { clientOf } from "../../../src/host/front/client-address.ts";
import { CF_HEADER, clientLines } from "../../../src/host/front/client-lines.ts";
import { FRONT_LIMITS } from "../../../src/host/front/front-limits.ts";
import { HostNames } from "../../../src/host/front/host-name.ts";
import {
  HeadRefusal,
  parseRequestHead,
  RequestHead,
} from "../../../src/host/front/request-head.ts";

const hosts = new HostNames();
const parse = (text: string) => parseRequestHead(Buffer.from(text, "latin1"), FRONT_LIMITS, hosts);
const lines = (...all: string[]) => `${all.join("\r\n")}\r\n\r\n`;
const accepted = (text: string): RequestHead => {
  const head = parse(text);
  if (!(head instanceof RequestHead)) throw new Error(JSON.stringify(head));
  return head;
};

describe("a request that two readers could read differently is refused", () => {
  const H = "Host: a.test";
  const post = (...more: string[]) => lines("POST / HTTP/1.1", H, ...more);
  const rows: [string, string, number][] = [
    ["both length and chunks", post("Content-Length: 3", "Transfer-Encoding: chunked"), 400],
    ["chunks, then length", post("Transfer-Encoding: chunked", "Content-Length: 3"), 400],
    ["two lengths that differ", post("Content-Length: 3", "Content-Length: 4"), 400],
    ["two lengths alike", post("Content-Length: 3", "Content-Length: 3"), 400],
    ["a list of lengths", post("Content-Length: 3, 3"), 400],
    ["a signed length", post("Content-Length: +3"), 400],
    ["a hexadecimal length", post("Content-Length: 0x3"), 400],
    ["an empty length", post("Content-Length: "), 400],
    ["a length beyond what is exact", post("Content-Length: 9999999999999999"), 400],
    ["an encoding before chunked", post("Transfer-Encoding: gzip, chunked"), 400],
    ["chunked twice", post("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"), 400],
    ["chunked twice in one line", post("Transfer-Encoding: chunked, chunked"), 400],
    ["an encoding of no name", post("Transfer-Encoding: identity"), 400],
    ["a tab behind chunked", post("Transfer-Encoding: chunked\t"), 400],
    ["xchunked", post("Transfer-Encoding: xchunked"), 400],
    ["chunked in quotes", post('Transfer-Encoding: "chunked"'), 400],
    ["a vertical tab before chunked", post("Transfer-Encoding: \x0bchunked"), 400],
    ["a space before the colon", post("Transfer-Encoding : chunked"), 400],
    ["a tab before the colon", post("Content-Length\t: 3"), 400],
    ["a space before the name", post(" Transfer-Encoding: chunked"), 400],
    ["a folded line", post("X: a", " b"), 400],
    ["a folded encoding", post("Transfer-Encoding:", "\tchunked"), 400],
    ["a line without colon", post("X"), 400],
    ["a line without name", post(": x"), 400],
    ["a NUL in a value", post("X: a\0b"), 400],
    ["a NUL in a name", post("X\0: a"), 400],
    ["a bare CR in a value", post("X: a\rTransfer-Encoding: chunked"), 400],
    ["a bare LF in a value", post("X: a\nTransfer-Encoding: chunked"), 400],
    ["a bare LF at the end", "GET / HTTP/1.1\nHost: a.test\n\n", 400],
    ["a bare LF after the last line", `GET / HTTP/1.1\r\n${H}\r\n\n`, 400],
    ["CR CR LF", `GET / HTTP/1.1\r\n${H}\r\r\n\r\n`, 400],
    ["an empty line before it", `\r\n${lines("GET / HTTP/1.1", H)}`, 400],
    ["no Host", lines("GET / HTTP/1.1", "X: y"), 400],
    ["two Hosts", lines("GET / HTTP/1.1", H, "Host: b.test"), 400],
    ["two Hosts alike", lines("GET / HTTP/1.1", H, H), 400],
    ["an empty Host", lines("GET / HTTP/1.1", "Host: "), 400],
    ["a Host with a user", lines("GET / HTTP/1.1", "Host: u@a.test"), 400],
    ["a Host with a path", lines("GET / HTTP/1.1", "Host: a.test/x"), 400],
    ["a Host with a query", lines("GET / HTTP/1.1", "Host: a.test?x"), 400],
    ["a Host with a backslash", lines("GET / HTTP/1.1", "Host: a.test\\x"), 400],
    ["a Host with a percent", lines("GET / HTTP/1.1", "Host: a%2etest"), 400],
    ["two Hosts in one", lines("GET / HTTP/1.1", "Host: a.test, b.test"), 400],
    ["two Hosts in one, by space", lines("GET / HTTP/1.1", "Host: a.test b.test"), 400],
    ["a Host with an empty label", lines("GET / HTTP/1.1", "Host: a..test"), 400],
    ["a Host beyond ASCII", lines("GET / HTTP/1.1", "Host: \xe4.test"), 400],
    ["a Host whose port is no number", lines("GET / HTTP/1.1", "Host: a.test:80a"), 400],
    ["a Host whose port is too large", lines("GET / HTTP/1.1", "Host: a.test:65536"), 400],
    ["another spelling of an IPv4 address", lines("GET / HTTP/1.1", "Host: 127.1"), 400],
    ["a hexadecimal IPv4 address", lines("GET / HTTP/1.1", "Host: 0x7f000001"), 400],
    ["another spelling of an IPv6 address", lines("GET / HTTP/1.1", "Host: [0:0::1]"), 400],
    ["a target of another host", lines("GET http://b.test/ HTTP/1.1", H), 400],
    ["a target of another port", lines("GET http://a.test:8080/ HTTP/1.1", H), 400],
    ["a target with a user", lines("GET http://a.test@b.test/ HTTP/1.1", H), 400],
    ["a target without path", lines("GET http://a.test HTTP/1.1", H), 400],
    ["a target of another scheme", lines("GET ftp://a.test/ HTTP/1.1", H), 400],
    ["a target that is no path", lines("GET x HTTP/1.1", H), 400],
    ["a target that is an authority", lines("GET a.test:80 HTTP/1.1", H), 400],
    ["a fragment", lines("GET /metrics#x HTTP/1.1", H), 400],
    ["a space in the target", lines("GET /a b HTTP/1.1", H), 400],
    ["OPTIONS *", lines("OPTIONS * HTTP/1.1", H), 400],
    ["no target", lines("GET  HTTP/1.1", H), 400],
    ["two spaces", lines("GET  / HTTP/1.1", H), 400],
    ["a tab for a space", lines("GET\t/ HTTP/1.1", H), 400],
    ["a space after the version", lines("GET / HTTP/1.1 ", H), 400],
    ["a version in small letters", lines("GET / http/1.1", H), 400],
    ["HTTP/0.9", "GET /\r\n\r\n         ", 400],
    ["chunks in HTTP/1.0", lines("POST / HTTP/1.0", H, "Transfer-Encoding: chunked"), 400],
    [
      "a WebSocket with a body",
      lines("GET / HTTP/1.1", H, "Upgrade: websocket", "Content-Length: 1"),
      400,
    ],
    [
      "a WebSocket among others with a body",
      post("Upgrade: x", "Upgrade: a, WebSocket", "Content-Length: 1"),
      400,
    ],
    ["CONNECT", lines("CONNECT a.test:443 HTTP/1.1", H), 501],
    ["an unknown method", lines("BREW / HTTP/1.1", H), 501],
    ["a method in small letters", lines("get / HTTP/1.1", H), 501],
    ["a method that does not end", "A".repeat(40), 501],
    ["the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
    ["HTTP/1.2", lines("GET / HTTP/1.2", H), 505],
    ["a TLS handshake", "\x16\x03\x01\x02\x00", 400],
    ["too many lines", lines("GET / HTTP/1.1", H, ...Array<string>(256).fill("X: y")), 431],
    ["a line too long", lines("GET / HTTP/1.1", H, `X: ${"y".repeat(65_536)}`), 431],
    ["a target too long", lines(`GET /${"y".repeat(65_536)} HTTP/1.1`, H), 431],
    ["a name too long", `GET / HTTP/1.1\r\n${"y".repeat(65_536)}`, 431],
  ];
  it.each(rows)("%s", (_, text, status) => {
    const head = parse(text);
    expect(head).toBeInstanceOf(HeadRefusal);
    expect(head).toMatchObject({ status });
  });
});

describe("a proper request", () => {
  it("is known by method, host and path", () => {
    const head = accepted(
      lines("PUT /a/b?c=d HTTP/1.1", "hOST: \tA.Test:8080 ", "Content-Length: 12"),
    );
    expect(head).toMatchObject({
      method: "PUT",
      host: "a.test",
      path: "/a/b?c=d",
      contentLength: 12,
    });
    expect(head.replayable).toBe(false);
  });

  it.each([
    ["a.test.", "a.test"],
    ["A_b-c.TEST:1", "a_b-c.test"],
    ["127.0.0.1:80", "127.0.0.1"],
    ["[::1]:8080", "[::1]"],
    ["[2001:DB8::1]", "[2001:db8::1]"],
    ["localhost", "localhost"],
  ])("of host %s is for %s", (sent, host) => {
    expect(accepted(lines("GET / HTTP/1.1", `Host: ${sent}`)).host).toBe(host);
  });

  it("may name its host in the target, too, if it is the same", () => {
    const head = accepted(lines("GET http://A.test:80/x?y HTTP/1.1", "Host: a.test:80"));
    expect(head).toMatchObject({ host: "a.test", path: "/x?y" });
  });

  it("of HTTP/1.0 is the last of its connection", () => {
    expect(accepted(lines("GET / HTTP/1.0", "Host: a.test"))).toMatchObject({
      old: true,
      close: true,
    });
  });

  it.each(["close", "Close", "keep-alive, close", "close,x"])(
    "closes with Connection: %s",
    (value) => {
      expect(accepted(lines("GET / HTTP/1.1", "Host: a.test", `Connection: ${value}`)).close).toBe(
        true,
      );
    },
  );

  it("may be sent again only if it is safe and has no body", () => {
    const replayable = (method: string, ...more: string[]) =>
      accepted(lines(`${method} / HTTP/1.1`, "Host: a.test", ...more)).replayable;
    expect(["GET", "HEAD", "OPTIONS"].map((method) => replayable(method))).toEqual([
      true,
      true,
      true,
    ]);
    expect(["POST", "PUT", "DELETE", "TRACE"].some((method) => replayable(method))).toBe(false);
    expect(replayable("GET", "Content-Length: 0")).toBe(true);
    expect(replayable("GET", "Content-Length: 1")).toBe(false);
    expect(replayable("GET", "Transfer-Encoding: chunked")).toBe(false);
  });

  it("goes on byte for byte, without the lines that only the system may send", () => {
    const kept = [
      "GET / HTTP/1.1",
      "hoSt:a.test",
      "X-Odd:\t v\xe4lue  ",
      "x-switchback-interna: 1",
    ];
    const dropped = [
      "MF-CF-Blob: {}",
      "X-Switchback-Internal: 1",
      "x-switchback-internal-role:control",
    ];
    const [first, host, odd, near] = kept;
    const all = [first, dropped[0], host, odd, dropped[1], near, dropped[2]].join("\r\n");
    const head = accepted(`${all}\r\n\r\nrest`);
    const nobody = { address: Buffer.alloc(0), rest: Buffer.alloc(0), isTrusted: false };
    expect(head.outgoing(nobody).toString("latin1")).toBe(lines(...kept));
    const same = accepted(lines(...kept));
    expect(same.outgoing(nobody).toString("latin1")).toBe(lines(...kept));
  });

  it("says who the client is, whatever the client says, unless that is a proxy on this machine", () => {
    const sent = (address: string, ...claims: string[]) => {
      const text = lines("GET / HTTP/1.1", "Host: a.test", ...claims, "X: y", "MF-CF-Blob: {}");
      const from = clientLines(address, clientOf(address));
      const [, ...rest] = accepted(text).outgoing(from).toString("latin1").split("\r\n");
      return rest.filter((line) => !line.startsWith(CF_HEADER)).slice(0, -2);
    };
    const claim = "cf-Connecting-IP: 198.51.100.9";
    const own = ["CF-Connecting-IP: 203.0.113.7", "Host: a.test", "X: y"];
    expect(sent("203.0.113.7")).toEqual(own);
    expect(sent("::ffff:203.0.113.7", claim)).toEqual(own);
    expect(sent("203.0.113.7", claim, claim)).toEqual(own);
    expect(sent("fe80::1%eth0", claim)[0]).toBe("CF-Connecting-IP: fe80::1");
    expect(sent("127.0.0.1", claim)).toEqual(["Host: a.test", claim, "X: y"]);
    expect(sent("127.0.0.1")).toEqual(["CF-Connecting-IP: 127.0.0.1", "Host: a.test", "X: y"]);
    expect(sent("::1", claim, claim)).toEqual(["CF-Connecting-IP: ::1", "Host: a.test", "X: y"]);
  });

  it("is the same wherever its bytes are cut", () => {
    const text = lines(
      "POST /x HTTP/1.1",
      "Host: a.test",
      "X: y",
      "Transfer-Encoding: CHUNKED",
      "Upgrade: h2c",
    );
    for (let cut = 0; cut < text.length; cut++) expect(parse(text.slice(0, cut))).toBe(null);
    expect(accepted(`${text}more`)).toMatchObject({
      length: text.length,
      chunked: true,
      upgrade: true,
    });
  });
});

/** What a visitor sees: requests over HTTP, asked of both sides as they are written. */
import type { VisitOptions } from "../e2e/support/visit.ts";

export interface HttpCheck extends VisitOptions {
  readonly host: string;
}

type Group = Readonly<Record<string, HttpCheck>>;

const on =
  (host: string) =>
  (path: string, options: VisitOptions = {}): HttpCheck => ({ host, path, ...options });
const main = on("conformance.localhost");
const pages = on("conformance-pages.localhost");
const spa = on("conformance-spa.localhost");

const NAVIGATION = { "sec-fetch-mode": "navigate", accept: "text/html" };
/** Stands for the tag that the same side gave the same path before. */
export const ITS_TAG = "<its tag>";

export const assets: Group = {
  "the index": main("/"),
  "a file": main("/app.css"),
  "a file of each type: JSON": main("/data.json"),
  "a file of each type: SVG": main("/icon.svg"),
  "a file without an ending": main("/LICENSE"),
  "a file with a space in its name": main("/blog/first%20post"),
  "a page without its ending": main("/about"),
  "a page with its ending": main("/about.html"),
  "a page with a slash": main("/about/"),
  "a directory": main("/docs/"),
  "a directory without its slash": main("/docs"),
  "a directory's index by name": main("/docs/index.html"),
  "the index by name": main("/index.html"),
  "the index by short name": main("/index"),
  "a query stays": main("/about.html?a=1&b=2"),
  "a query is ignored": main("/app.css?v=5"),
  "two slashes": main("//app.css"),
  dots: main("/docs/../app.css"),
  "encoded dots": main("/docs/%2e%2e/app.css"),
  "an encoded letter": main("/%61pp.css"),
  "an encoded slash": main("/docs%2findex.html"),
  "a path that cannot be decoded": main("/%E0%A4%A"),
  "another case": main("/APP.css"),
  HEAD: main("/app.css", { method: "HEAD" }),
  "POST of a file": main("/app.css", { method: "POST", body: "x" }),
  "OPTIONS of a file": main("/app.css", { method: "OPTIONS" }),
  "the same tag": main("/app.css", { headers: { "if-none-match": ITS_TAG } }),
  "a weak tag": main("/app.css", { headers: { "if-none-match": `W/${ITS_TAG}` } }),
  "another tag": main("/app.css", { headers: { "if-none-match": '"else"' } }),
  "any tag": main("/app.css", { headers: { "if-none-match": "*" } }),
  "a range": main("/app.css", { headers: { range: "bytes=0-3" } }),
  "an open range": main("/app.css", { headers: { range: "bytes=5-" } }),
  "a suffix": main("/app.css", { headers: { range: "bytes=-4" } }),
  "a range beyond": main("/app.css", { headers: { range: "bytes=900-" } }),
  "two ranges": main("/app.css", { headers: { range: "bytes=0-1,3-4" } }),
  "a path of nobody's": main("/nothing"),
  "a path of nobody's, by a browser": main("/nothing", { headers: NAVIGATION }),
  "a redirect": main("/old"),
  "a redirect with a query": main("/old?a=1"),
  "a redirect that is temporary": main("/temporary"),
  "a redirect with a splat": main("/blog-old/2026/post"),
  "a redirect with a placeholder": main("/users/7"),
  "a rewrite": main("/rewritten"),
  "a redirect elsewhere": main("/outside"),
  "a header rule with a splat": main("/docs/"),
  "the rules themselves: headers": main("/_headers"),
  "the rules themselves: redirects": main("/_redirects"),
  "the Worker first": main("/worker-first/x"),
  "the Worker first, below": main("/docs/secret/x"),
  "the Worker first, but not here": main("/docs/secret/open/x"),
  "pages: the index": pages("/"),
  "pages: a page": pages("/about"),
  "pages: a page with a slash": pages("/about/"),
  "pages: a page with its ending": pages("/about.html"),
  "pages: a directory": pages("/docs"),
  "pages: a directory with its slash": pages("/docs/"),
  "pages: nothing there": pages("/nothing"),
  "pages: nothing there, deeper": pages("/docs/nothing/at/all"),
  "pages: nothing there, asked by POST": pages("/nothing", { method: "POST", body: "x" }),
  "pages: POST of a page": pages("/about", { method: "POST", body: "x" }),
  "pages: the page for what is not there": pages("/404"),
  "pages: HEAD of nothing": pages("/nothing", { method: "HEAD" }),
  "spa: the index": spa("/"),
  "spa: a page": spa("/about"),
  "spa: a page with a slash": spa("/about/"),
  "spa: a route by a browser": spa("/deep/route", { headers: NAVIGATION }),
  "spa: a route by fetch": spa("/deep/route", { headers: { "sec-fetch-mode": "cors" } }),
  "spa: a route by nobody in particular": spa("/deep/route"),
  "spa: POST of a route": spa("/deep/route", { method: "POST", body: "x" }),
  "spa: a file": spa("/app.css"),
  "spa: a directory": spa("/docs"),
};

export const http: Group = {
  text: main("/text"),
  JSON: main("/json"),
  "the body comes back": main("/echo", { method: "POST", body: "grüß" }),
  "bytes come back": main("/echo", { method: "PUT", body: new Uint8Array([0, 255, 128]) }),
  "an empty body": main("/echo", { method: "POST" }),
  "headers arrive": main("/echo", { headers: { "x-sent": "ü".normalize("NFD").slice(0, 1) } }),
  "HEAD of text": main("/text", { method: "HEAD" }),
  DELETE: main("/echo", { method: "DELETE" }),
  PATCH: main("/echo", { method: "PATCH", body: "x" }),
  "a redirect": main("/redirect"),
  cookies: main("/cookies"),
  "a long answer": main("/slow"),
  "status 204": main("/status/204"),
  "status 205": main("/status/205"),
  "status 404": main("/status/404"),
  "status 418": main("/status/418"),
  "status 500": main("/status/500"),
  "a Durable Object": main("/object/path?x=1", {
    method: "POST",
    body: "body",
    headers: { "x-sent": "1" },
  }),
  "a value of KV": main("/kv"),
  "an object of R2": main("/bucket"),
  "an object of R2, in part": main("/bucket", { headers: { range: "bytes=2-4" } }),
  "an object of R2, by its tag": main("/bucket", {
    headers: { "if-none-match": '"781e5e245d69b566979b86e28d23f2c7"' },
  }),
};

export interface SocketCheck {
  readonly host: string;
  readonly path: string;
  /** One message after the other. */
  readonly says: readonly string[];
}

const SOCKETS_HOST = "conformance.localhost";

export const SOCKET_CHECKS: Readonly<Record<string, SocketCheck>> = {
  "of the Worker": { host: SOCKETS_HOST, path: "/socket", says: ["one", "two", "close"] },
  "of an object": { host: SOCKETS_HOST, path: "/object/h?tag=red", says: ["one", "close"] },
  "of an object that answers by itself": {
    host: SOCKETS_HOST,
    path: "/object/h?auto=1",
    says: ["ping", "one", "close"],
  },
  "not asked for": { host: SOCKETS_HOST, path: "/text", says: [] },
  "at an address of nobody's": { host: SOCKETS_HOST, path: "/nothing", says: [] },
  "at an asset": { host: SOCKETS_HOST, path: "/app.css", says: [] },
};

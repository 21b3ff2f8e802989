import { describe, expect, it } from "vitest";
import { egressFetch, type EgressPolicy } from "../../src/gateway/egress.ts";
import { privateHostReason } from "../../src/gateway/public-address.ts";

/** A policy whose network answers with the URL it was asked for. */
const policy = (fields: Partial<EgressPolicy> = {}): EgressPolicy => ({
  mode: "public",
  controlHosts: new Set(["control.example", "localhost", "127.0.0.1", "[::1]"]),
  deniedHosts: new Set(["denied.example"]),
  serves: async (url) => url.hostname.endsWith(".workers.example"),
  internet: { fetch: async (request: Request) => new Response(request.url) } as unknown as Fetcher,
  ...fields,
});
const call = async (url: string, fields: Partial<EgressPolicy> = {}): Promise<string> =>
  (await egressFetch(policy(fields), new Request(url))).text();

const PRIVATE = [
  "http://127.0.0.1/",
  "http://127.1/",
  "http://2130706433/",
  "http://0x7f.0.0.1/",
  "http://0177.0.0.1/",
  "http://0.0.0.0/",
  "http://10.1.2.3/",
  "http://100.64.0.1/",
  "http://169.254.169.254/latest/meta-data",
  "http://172.16.0.1/",
  "http://172.31.255.255/",
  "http://192.168.1.1:8080/",
  "http://198.18.0.1/",
  "http://224.0.0.1/",
  "http://255.255.255.255/",
  "http://[::]/",
  "http://[::1]/",
  "http://[::ffff:127.0.0.1]/",
  "http://[::ffff:8.8.8.8]/",
  "http://[::127.0.0.1]/",
  "http://[64:ff9b::7f00:1]/",
  "http://[fe80::1]/",
  "http://[fd00::1]/",
  "http://[ff02::1]/",
  "http://[2001::1]/",
  "http://[2001:db8::1]/",
  "http://[2002:7f00:1::]/",
  "http://localhost/",
  "http://LOCALHOST./",
  "http://a.localhost/",
  "http://printer.local/",
  "http://metadata.google.internal/",
];
const PUBLIC = [
  "http://example.com/",
  "https://8.8.8.8/",
  "https://172.32.0.1/",
  "https://100.128.0.1/",
  "https://[2606:4700:4700::1111]/",
  "https://[2001:4860:4860::8888]/",
  "https://notlocalhost/",
  "https://internal.example/",
];

describe("the way out", () => {
  it.each(PRIVATE)("refuses %s and names it", async (url) => {
    await expect(call(url, { controlHosts: new Set() })).rejects.toThrow(
      `fetch to ${new URL(url).hostname} is refused: `,
    );
  });

  it.each(PUBLIC)("lets %s pass", async (url) => {
    expect(privateHostReason(new URL(url).hostname)).toBeNull();
    expect(await call(url)).toBe(url);
  });

  it.each(["http://192.168.1.1:8080/", "http://intranet.local/"])(
    "lets %s pass when the operator has opened it",
    async (url) => {
      expect(await call(url, { mode: "open" })).toBe(url);
    },
  );

  it.each([
    ["http://control.example/client/v4", "a host of the control plane"],
    ["http://CONTROL.example./", "a host of the control plane"],
    ["http://localhost:8787/", "a host of the control plane"],
    ["http://[::1]:8787/", "a host of the control plane"],
    ["http://denied.example/", "the operator denies"],
    ["http://web.workers.example/", "use a service binding"],
  ])("refuses %s, opened or not", async (url, reason) => {
    await expect(call(url)).rejects.toThrow(reason);
    await expect(call(url, { mode: "open" })).rejects.toThrow(reason);
  });

  it("tells a refusal of the network in words", async () => {
    const internet = {
      fetch: async () => Promise.reject(new Error("internal error; reference = abc")),
    } as unknown as Fetcher;
    await expect(call("http://rebound.example/", { internet })).rejects.toThrow(
      "fetch to rebound.example failed: the host cannot be reached, or its address is not public.",
    );
  });

  it("passes method, headers and body on", async () => {
    const internet = {
      fetch: async (request: Request) =>
        Response.json([request.method, request.headers.get("a"), await request.text()]),
    } as unknown as Fetcher;
    const request = new Request("http://example.com/", {
      method: "POST",
      headers: { a: "b" },
      body: "body",
    });
    const response = await egressFetch(policy({ internet }), request);
    expect(await response.json()).toEqual(["POST", "b", "body"]);
  });
});

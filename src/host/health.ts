/** One health probe, through the public port and the Worker: it proves that requests are served. */
import { get } from "node:http";

/** The status of `/healthz`, or nothing if there was no whole answer in time. Never throws. */
export function probe(
  address: { readonly host: string; readonly port: number; readonly controlHost: string },
  timeoutMs: number,
): Promise<number | undefined> {
  return new Promise((done) => {
    const request = get(
      {
        host: address.host,
        port: address.port,
        path: "/healthz",
        // The Host header decides between API and gateway; a new connection tells whether any is accepted.
        headers: { host: address.controlHost, connection: "close" },
        agent: false,
        signal: AbortSignal.timeout(timeoutMs),
      },
      (response) => {
        response.once("error", () => done(undefined));
        response.once("end", () => done(response.statusCode));
        response.resume();
      },
    );
    request.once("error", () => done(undefined));
  });
}

/** Where this machine reaches a listening address: the wildcard ones through loopback. */
export function reachableAddress(host: string): string {
  const bare = host.replace(/^\[(.*)\]$/, "$1");
  if (bare === "0.0.0.0" || bare === "*") return "127.0.0.1";
  return bare === "::" ? "::1" : bare;
}

/** What the front adds to each request: whose it is, in the words of Cloudflare's network. */
import { plainAddress } from "./client-address.ts";

/** workerd makes `request.cf` of it, and takes it away. Visitors cannot send it: see `request-head`. */
export const CF_HEADER = "x-switchback-internal-cf";
/** What is true of every request here. Where a visitor is, and how TLS was ended, is not known. */
const CF = JSON.stringify({ httpProtocol: "HTTP/1.1", tlsVersion: "", tlsCipher: "" });
const CF_LINE = `${CF_HEADER}: ${CF}\r\n`;

export interface ClientLines {
  /** Header lines in front of the visitor's own. */
  readonly address: Buffer;
  /** The same without the address, for those who tell it themselves. */
  readonly rest: Buffer;
  /** It connects from this machine: a proxy, that may say in `CF-Connecting-IP` for whom. */
  readonly isTrusted: boolean;
}

/** `client`: as `clientOf` gives it for this address. */
export const clientLines = (remoteAddress: string, client: string | null): ClientLines => ({
  address: Buffer.from(`CF-Connecting-IP: ${plainAddress(remoteAddress)}\r\n${CF_LINE}`, "latin1"),
  rest: Buffer.from(CF_LINE, "latin1"),
  isTrusted: client === null,
});

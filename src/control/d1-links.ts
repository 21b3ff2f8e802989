import { eachSecretsKey } from "../domain/secrets-keys.ts";

/**
 * Links by which a file of SQL is uploaded or downloaded. Clients send no token there, so the link itself is the
 * permission: it says what it is for and until when, and cannot be made without the installation's key.
 */
export interface D1Link {
  readonly operation: "upload" | "download";
  /** Name of the file. */
  readonly file: string;
  /** Hex MD5 that an upload has to have; empty for downloads. */
  readonly md5: string;
  /** Milliseconds since 1970. */
  readonly until: number;
}

const TOKEN = /^([\w-]{1,1024})\.([\w-]{43})$/;

export class D1Links {
  /** The first signs, all are taken. */
  readonly #keys: readonly Promise<CryptoKey>[];

  /** `SECRETS_KEY`. What is made of it here opens nothing else. */
  constructor(secretsKey: string) {
    this.#keys = eachSecretsKey(secretsKey).map(importKey);
  }

  /** Fit for a path. */
  async sign(link: D1Link): Promise<string> {
    const payload = toBase64Url(new TextEncoder().encode(JSON.stringify(link)));
    const [key] = await Promise.all(this.#keys);
    const mac = await crypto.subtle.sign("HMAC", key as CryptoKey, bytesOf(payload));
    return `${payload}.${toBase64Url(new Uint8Array(mac))}`;
  }

  /** Null when nobody here has signed it so, or its time is over. */
  async open(token: string, now: number): Promise<D1Link | null> {
    const [, payload, mac] = TOKEN.exec(token) ?? [];
    if (payload === undefined || mac === undefined) return null;
    const keys = await Promise.all(this.#keys);
    const verified = await Promise.all(
      keys.map((key) => crypto.subtle.verify("HMAC", key, fromBase64Url(mac), bytesOf(payload))),
    );
    if (!verified.includes(true)) return null;
    const link = JSON.parse(new TextDecoder().decode(fromBase64Url(payload))) as D1Link;
    return link.until > now ? link : null;
  }
}

async function importKey(secretsKey: string): Promise<CryptoKey> {
  const seed = bytesOf(`switchback d1 file link ${secretsKey}`);
  const bytes = await crypto.subtle.digest("SHA-256", seed);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign", "verify"]);
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

const toBase64Url = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const fromBase64Url = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) =>
    char.charCodeAt(0),
  );

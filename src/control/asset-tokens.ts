/**
 * Tokens of upload sessions: JSON Web Tokens, because clients look into them for when they end. Signed with a key of
 * their own that follows from the installation's, so that nothing has to be stored for a session to begin.
 */
import { eachSecretsKey } from "../domain/secrets-keys.ts";
import { ASSET_TOKEN_CHARS_MAX } from "../domain/limits-assets.ts";

export interface AssetClaims {
  readonly accountId: string;
  readonly sessionId: string;
  /** Of the manifest's text, its key in the blob store. */
  readonly manifestSha256: string;
  /** Milliseconds since 1970. */
  readonly expiresOn: number;
}

/** As it is in the token; `exp` in seconds. */
interface Payload {
  readonly iss: string;
  readonly aud: string;
  readonly jti: string;
  readonly manifest: string;
  readonly exp: number;
}

const ISSUER = "switchback/assets";
const HEADER = { alg: "HS256", typ: "JWT" };
const HMAC = { name: "HMAC", hash: "SHA-256" };

export class AssetTokens {
  /** The first signs, all are taken. */
  readonly #keys: readonly Promise<CryptoKey>[];

  /** `SECRETS_KEY`, see domain/secrets-keys. */
  constructor(configured: string) {
    this.#keys = eachSecretsKey(configured).map(deriveKey);
  }

  async sign({ accountId, sessionId, manifestSha256, expiresOn }: AssetClaims): Promise<string> {
    const payload: Payload = {
      iss: ISSUER,
      aud: accountId,
      jti: sessionId,
      manifest: manifestSha256,
      exp: Math.floor(expiresOn / 1000),
    };
    const signed = `${encode(HEADER)}.${encode(payload)}`;
    const bytes = new TextEncoder().encode(signed);
    const [key] = await Promise.all(this.#keys);
    const signature = await crypto.subtle.sign(HMAC, key as CryptoKey, bytes);
    return `${signed}.${base64Url(new Uint8Array(signature))}`;
  }

  /** null: not one of ours, or altered. Whether it has ended is for the caller to judge. */
  async open(token: string): Promise<AssetClaims | null> {
    const [header, payload, signature, ...rest] = token.split(".");
    if (token.length > ASSET_TOKEN_CHARS_MAX || rest.length > 0) return null;
    const given = signature === undefined ? null : bytesOf(signature);
    if (header === undefined || payload === undefined || given === null) return null;
    const bytes = new TextEncoder().encode(`${header}.${payload}`);
    const keys = await Promise.all(this.#keys);
    const verified = await Promise.all(
      keys.map((known) => crypto.subtle.verify(HMAC, known, given, bytes)),
    );
    if (!verified.includes(true)) return null;
    const text = bytesOf(payload);
    if (text === null) return null;
    // Signed, so it is what `sign` has written, or some other use of the key that must not pass for one.
    const read = JSON.parse(new TextDecoder().decode(text)) as Partial<Payload>;
    if (read.iss !== ISSUER || typeof read.exp !== "number") return null;
    return {
      accountId: read.aud ?? "",
      sessionId: read.jti ?? "",
      manifestSha256: read.manifest ?? "",
      expiresOn: read.exp * 1000,
    };
  }
}

async function deriveKey(configured: string): Promise<CryptoKey> {
  const bytes = new TextEncoder().encode(configured.slice(configured.indexOf(":") + 1));
  const root = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
  const info = new TextEncoder().encode(ISSUER);
  return crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info },
    root,
    { ...HMAC, length: 256 },
    false,
    ["sign", "verify"],
  );
}

const encode = (value: unknown): string =>
  base64Url(new TextEncoder().encode(JSON.stringify(value)));

const base64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");

function bytesOf(text: string): Uint8Array<ArrayBuffer> | null {
  if (!/^[\w-]+$/.test(text)) return null;
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}

/** The address of a tail's WebSocket is its only key, because wrangler sends no token there: it cannot be guessed, and is checked before anything is looked up. */
import type { WorkerId } from "../domain/ids.ts";
import { eachSecretsKey } from "../domain/secrets-keys.ts";

const HEX64 = /^[0-9a-f]{64}$/;

export class TailKeys {
  /** The first signs, all are taken. */
  readonly #keys: readonly Promise<CryptoKey>[];

  /** `SECRETS_KEY`. What is made of it here opens nothing else. */
  constructor(secretsKey: string) {
    this.#keys = eachSecretsKey(secretsKey).map(importKey);
  }

  /** 64 hex digits. */
  async keyOf(workerId: WorkerId, tailId: string): Promise<string> {
    const [key] = await Promise.all(this.#keys);
    const mac = await crypto.subtle.sign("HMAC", key as CryptoKey, message(workerId, tailId));
    return Array.from(new Uint8Array(mac), (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  /** In constant time. */
  async opens(workerId: WorkerId, tailId: string, key: string): Promise<boolean> {
    if (!HEX64.test(key)) return false;
    const mac = Uint8Array.from({ length: 32 }, (_, at) =>
      Number.parseInt(key.slice(at * 2, at * 2 + 2), 16),
    );
    for (const known of this.#keys) {
      if (await crypto.subtle.verify("HMAC", await known, mac, message(workerId, tailId)))
        return true;
    }
    return false;
  }
}

async function importKey(secretsKey: string): Promise<CryptoKey> {
  const seed = new TextEncoder().encode(`switchback tail address ${secretsKey}`);
  const bytes = await crypto.subtle.digest("SHA-256", seed);
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign", "verify"]);
}

const message = (workerId: WorkerId, tailId: string): Uint8Array =>
  new TextEncoder().encode(JSON.stringify([workerId, tailId]));

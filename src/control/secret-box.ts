/**
 * Secret values at rest. Each version has a data key of its own, wrapped by the installation's key; each
 * value is sealed with AES-256-GCM and bound to the Worker, version and name it belongs to, so that a
 * sealed value moved to another row does not open.
 */
import type { SecretText } from "../domain/binding.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";

export interface SecretOwner {
  readonly workerId: WorkerId;
  readonly versionId: VersionId;
}

/** What is stored, as JSON: base64 throughout, each ciphertext with its 96-bit nonce in front. */
interface Sealed {
  readonly keyId: string;
  readonly wrappedKey: string;
  readonly values: Readonly<Record<string, string>>;
}

const NONCE_BYTES = 12;
const DATA_KEY_BYTES = 32;

export class SecretBox {
  readonly #keyId: string;
  readonly #key: Promise<CryptoKey>;

  /** `SECRETS_KEY` as `<key id>:<base64 of 32 bytes>`. Throws when it is not that. */
  constructor(configured: string) {
    const match = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/.exec(configured);
    if (match === null) {
      throw new Error("SECRETS_KEY has to be <key id>:<base64 of 32 random bytes>");
    }
    this.#keyId = match[1] as string;
    this.#key = importKey(fromBase64(match[2] as string));
  }

  /** Null when there is nothing to seal. */
  async seal(owner: SecretOwner, secrets: readonly SecretText[]): Promise<string | null> {
    if (secrets.length === 0) return null;
    const dataKeyBytes = crypto.getRandomValues(new Uint8Array(DATA_KEY_BYTES));
    const dataKey = await importKey(dataKeyBytes);
    const values: [string, string][] = [];
    for (const { name, text } of secrets) {
      const bytes = new TextEncoder().encode(text);
      values.push([name, await encrypt(dataKey, bytes, context(owner, name, this.#keyId))]);
    }
    const wrappedKey = await encrypt(
      await this.#key,
      dataKeyBytes,
      context(owner, "", this.#keyId),
    );
    const sealed: Sealed = { keyId: this.#keyId, wrappedKey, values: Object.fromEntries(values) };
    return JSON.stringify(sealed);
  }

  /** Throws when the key is not the one it was sealed with, or when anything was altered. */
  async open(owner: SecretOwner, stored: string | null): Promise<SecretText[]> {
    if (stored === null) return [];
    const sealed = JSON.parse(stored) as Sealed;
    if (sealed.keyId !== this.#keyId) {
      throw new Error(`secrets were sealed with key ${sealed.keyId}, this host has ${this.#keyId}`);
    }
    const dataKeyBytes = await decrypt(
      await this.#key,
      sealed.wrappedKey,
      context(owner, "", sealed.keyId),
    );
    const dataKey = await importKey(dataKeyBytes);
    const secrets: SecretText[] = [];
    for (const [name, value] of Object.entries(sealed.values)) {
      const bytes = await decrypt(dataKey, value, context(owner, name, sealed.keyId));
      secrets.push({ name, text: new TextDecoder().decode(bytes) });
    }
    return secrets;
  }
}

const importKey = (bytes: Uint8Array): Promise<CryptoKey> =>
  crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]);

const context = (owner: SecretOwner, name: string, keyId: string): Uint8Array =>
  new TextEncoder().encode(JSON.stringify([owner.workerId, owner.versionId, name, keyId]));

async function encrypt(key: CryptoKey, bytes: Uint8Array, additionalData: Uint8Array) {
  const iv = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, key, bytes);
  const out = new Uint8Array(NONCE_BYTES + sealed.byteLength);
  out.set(iv);
  out.set(new Uint8Array(sealed), NONCE_BYTES);
  return toBase64(out);
}

async function decrypt(key: CryptoKey, text: string, additionalData: Uint8Array) {
  const bytes = fromBase64(text);
  const iv = bytes.subarray(0, NONCE_BYTES);
  const sealed = bytes.subarray(NONCE_BYTES);
  const opened = await crypto.subtle.decrypt({ name: "AES-GCM", iv, additionalData }, key, sealed);
  return new Uint8Array(opened);
}

const toBase64 = (bytes: Uint8Array): string =>
  btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

const fromBase64 = (text: string): Uint8Array =>
  Uint8Array.from(atob(text), (char) => char.charCodeAt(0));

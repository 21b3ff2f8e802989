/**
 * Secret values at rest. Each version has a data key of its own, wrapped by the installation's key; each
 * value is sealed with AES-256-GCM and bound to the Worker, version and name it belongs to, so that a
 * sealed value moved to another row does not open.
 */
import type { SecretText } from "../domain/binding.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import { parseSecretsKeys } from "../domain/secrets-keys.ts";

export interface SecretOwner {
  readonly workerId: WorkerId;
  readonly versionId: VersionId;
}

/** What is stored, as JSON: base64 throughout, each ciphertext with its 96-bit nonce in front. */
interface Sealed {
  /** Of the key that wraps the data key. */
  readonly keyId: string;
  readonly wrappedKey: string;
  /** Of the key that was first when the values were sealed, which they name; absent: the same. */
  readonly sealedUnder?: string;
  readonly values: Readonly<Record<string, string>>;
}

const NONCE_BYTES = 12;
const DATA_KEY_BYTES = 32;

/** What was sealed needs a key that is not there. */
export class SecretsKeyMissing extends Error {
  readonly keyId: string;
  constructor(keyId: string, keyIds: readonly string[]) {
    super(`secrets were sealed with key ${keyId}, this host has ${keyIds.join(", ")}`);
    this.keyId = keyId;
  }
}

export class SecretBox {
  /** Of the key that seals. */
  readonly keyId: string;
  readonly #keys: ReadonlyMap<string, Promise<CryptoKey>>;

  /** `SECRETS_KEY`, see {@link parseSecretsKeys}: the first key seals, all of them open. */
  constructor(configured: string) {
    const keys = parseSecretsKeys(configured);
    this.keyId = keys[0]?.id ?? "";
    this.#keys = new Map(keys.map(({ id, base64 }) => [id, importKey(fromBase64(base64))]));
  }

  /** Keys that open what was sealed before a newer one came. */
  get olderKeyIds(): readonly string[] {
    return [...this.#keys.keys()].slice(1);
  }

  /** Null when there is nothing to seal. */
  async seal(owner: SecretOwner, secrets: readonly SecretText[]): Promise<string | null> {
    if (secrets.length === 0) return null;
    const dataKeyBytes = crypto.getRandomValues(new Uint8Array(DATA_KEY_BYTES));
    const dataKey = await importKey(dataKeyBytes);
    const values: [string, string][] = [];
    for (const { name, text } of secrets) {
      const bytes = new TextEncoder().encode(text);
      values.push([name, await encrypt(dataKey, bytes, context(owner, name, this.keyId))]);
    }
    const wrappedKey = await this.#wrap(owner, dataKeyBytes);
    const sealed: Sealed = { keyId: this.keyId, wrappedKey, values: Object.fromEntries(values) };
    return JSON.stringify(sealed);
  }

  /** Throws {@link SecretsKeyMissing} when its key is not there, and something else when anything was altered. */
  async open(owner: SecretOwner, stored: string | null): Promise<SecretText[]> {
    if (stored === null) return [];
    const sealed = JSON.parse(stored) as Sealed;
    const dataKey = await importKey(await this.#unwrap(owner, sealed));
    const under = sealed.sealedUnder ?? sealed.keyId;
    const secrets: SecretText[] = [];
    for (const [name, value] of Object.entries(sealed.values)) {
      const bytes = await decrypt(dataKey, value, context(owner, name, under));
      secrets.push({ name, text: new TextDecoder().decode(bytes) });
    }
    return secrets;
  }

  /** The same values with their data key wrapped by the key that seals now; null when it is already. Throws as `open` does. */
  async rewrap(owner: SecretOwner, stored: string): Promise<string | null> {
    const sealed = JSON.parse(stored) as Sealed;
    if (sealed.keyId === this.keyId) return null;
    const wrappedKey = await this.#wrap(owner, await this.#unwrap(owner, sealed));
    const sealedUnder = sealed.sealedUnder ?? sealed.keyId;
    return JSON.stringify({ keyId: this.keyId, wrappedKey, sealedUnder, values: sealed.values });
  }

  async #wrap(owner: SecretOwner, dataKey: Uint8Array): Promise<string> {
    return encrypt(await this.#key(this.keyId), dataKey, context(owner, "", this.keyId));
  }

  async #unwrap(owner: SecretOwner, { keyId, wrappedKey }: Sealed): Promise<Uint8Array> {
    return decrypt(await this.#key(keyId), wrappedKey, context(owner, "", keyId));
  }

  #key(keyId: string): Promise<CryptoKey> {
    const key = this.#keys.get(keyId);
    if (key === undefined) throw new SecretsKeyMissing(keyId, [...this.#keys.keys()]);
    return key;
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

/**
 * Ids of Durable Objects: 32 bytes, the second half of which proves to whoever reads one that it is of this namespace. They
 * are of one shape with Cloudflare's, and others than Cloudflare's.
 */
import { hmacSha256, sha256 } from "./sha256.ts";

const HALF_BYTES = 16;
const encoder = new TextEncoder();
const { defineProperty } = Object;

/** Where Cloudflare can keep objects. Here they stay where the machine is: it only tells their ids apart. */
export const JURISDICTIONS: readonly string[] = ["eu", "fedramp", "fedramp-high"];

export class DurableObjectId {
  readonly #hex: string;
  declare readonly jurisdiction: string | undefined;
  declare readonly name: string | undefined;

  constructor(hex: string, name: string | undefined, jurisdiction: string | undefined) {
    this.#hex = hex;
    shown(this, "jurisdiction", jurisdiction);
    shown(this, "name", name);
  }

  toString(): string {
    return this.#hex;
  }

  equals(other: unknown): boolean {
    if (typeof other !== "object" || other === null || !(#hex in other)) {
      throw new TypeError(
        "Failed to execute 'equals' on 'DurableObjectId': parameter 1 is not of type 'DurableObjectId'.",
      );
    }
    return other.#hex === this.#hex;
  }

  /** Null for anything that is not made here. */
  static hexOf(id: unknown): string | null {
    return typeof id === "object" && id !== null && #hex in id ? id.#hex : null;
  }
}
tag(DurableObjectId, "DurableObjectId");

/** The ids of one namespace. */
export class ObjectIds {
  readonly #namespaceId: string;
  readonly #jurisdiction: string | undefined;
  readonly #key: Uint8Array;

  constructor(namespaceId: string, jurisdiction?: string) {
    this.#namespaceId = namespaceId;
    this.#jurisdiction = jurisdiction;
    this.#key = keyOf(namespaceId, jurisdiction);
  }

  /** The same ids, those of a jurisdiction. */
  within(jurisdiction: string | undefined): ObjectIds {
    return new ObjectIds(this.#namespaceId, jurisdiction);
  }

  fromName(name: string): DurableObjectId {
    const half = hmacSha256(this.#key, encoder.encode(name)).subarray(0, HALF_BYTES);
    return this.#whole(half, name);
  }

  /** Whether that is the name of the object with this id, in whatever jurisdiction. */
  isNamed(hex: string, name: string): boolean {
    return [undefined, ...JURISDICTIONS].some(
      (jurisdiction) => this.within(jurisdiction).fromName(name).toString() === hex,
    );
  }

  unique(): DurableObjectId {
    return this.#whole(crypto.getRandomValues(new Uint8Array(HALF_BYTES)), undefined);
  }

  fromString(text: string): DurableObjectId {
    if (!/^[0-9a-fA-F]{64}$/.test(text))
      throw new TypeError("Invalid Durable Object ID: must be 64 hex digits");
    const hex = text.toLowerCase();
    const half = bytesOf(hex.slice(0, 2 * HALF_BYTES));
    const candidates =
      this.#jurisdiction === undefined ? [undefined, ...JURISDICTIONS] : [this.#jurisdiction];
    for (const jurisdiction of candidates) {
      const id = this.within(jurisdiction).#whole(half, undefined);
      if (id.toString() === hex) return id;
    }
    throw new TypeError("Durable Object ID is not valid for this namespace.");
  }

  #whole(half: Uint8Array, name: string | undefined): DurableObjectId {
    const proof = hmacSha256(this.#key, half).subarray(0, HALF_BYTES);
    return new DurableObjectId(hexOf(half) + hexOf(proof), name, this.#jurisdiction);
  }
}

const keyOf = (namespaceId: string, jurisdiction: string | undefined): Uint8Array =>
  sha256(
    encoder.encode(jurisdiction === undefined ? namespaceId : `${namespaceId}:${jurisdiction}`),
  );

const hexOf = (bytes: Uint8Array): string => {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
};

const bytesOf = (hex: string): Uint8Array => {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
};

/** A property as the platform's objects have theirs. */
export function shown(object: object, name: string, value: unknown): void {
  defineProperty(object, name, { value, enumerable: true, configurable: true, writable: false });
}

/** What a class is called, whatever bundling makes of its name, and what `String(object)` says of it. */
export function tag(Class: { readonly prototype: object }, name: string): void {
  defineProperty(Class, "name", { value: name, configurable: true });
  defineProperty(Class.prototype, Symbol.toStringTag, { value: name, configurable: true });
}

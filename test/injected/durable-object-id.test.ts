import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DurableObjectId, ObjectIds } from "../../src/injected/durable-object-id.ts";
import { hmacSha256, sha256 } from "../../src/injected/sha256.ts";

const hex = (bytes: ArrayBuffer | Uint8Array) =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

describe("the hash of the ids", () => {
  it("is SHA-256, and HMAC-SHA-256, as the platform computes them", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.uint8Array({ minLength: 1, maxLength: 100 }),
        async (message, key) => {
          expect(hex(sha256(message))).toBe(hex(await crypto.subtle.digest("SHA-256", message)));
          const algorithm = { name: "HMAC", hash: "SHA-256" };
          const imported = await crypto.subtle.importKey("raw", key, algorithm, false, ["sign"]);
          expect(hex(hmacSha256(key, message))).toBe(
            hex(await crypto.subtle.sign("HMAC", imported, message)),
          );
        },
      ),
    );
  });
});

describe("ids of Durable Objects", () => {
  const rooms = new ObjectIds("a".repeat(32));
  const halls = new ObjectIds("b".repeat(32));

  it("a name has one id in a namespace, which is read back from its text", () => {
    const id = rooms.fromName("lobby");
    expect(String(id)).toMatch(/^[0-9a-f]{64}$/);
    expect(id.equals(rooms.fromName("lobby"))).toBe(true);
    expect(id.equals(rooms.fromName("lobby "))).toBe(false);
    const read = rooms.fromString(String(id).toUpperCase());
    expect(read.equals(id)).toBe(true);
    expect([id.name, read.name]).toEqual(["lobby", undefined]);
    expect(JSON.stringify(id)).toBe('{"name":"lobby"}');
  });

  it("tell whether a name is theirs, in every jurisdiction, and no other one", () => {
    for (const ids of [rooms, rooms.within("eu")]) {
      const hexOfLobby = String(ids.fromName("lobby"));
      expect(rooms.isNamed(hexOfLobby, "lobby")).toBe(true);
      expect(rooms.isNamed(hexOfLobby, "hall")).toBe(false);
      expect(halls.isNamed(hexOfLobby, "lobby")).toBe(false);
    }
  });

  it("the same name has another id in another namespace, and neither reads the other's", () => {
    const id = rooms.fromName("lobby");
    expect(String(halls.fromName("lobby"))).not.toBe(String(id));
    expect(() => halls.fromString(String(id))).toThrow(
      new TypeError("Durable Object ID is not valid for this namespace."),
    );
    expect(() => rooms.fromString("ab".repeat(32))).toThrow("not valid for this namespace");
    expect(() => rooms.fromString("lobby")).toThrow(
      new TypeError("Invalid Durable Object ID: must be 64 hex digits"),
    );
  });

  it("unique ids differ, and are of their namespace", () => {
    const [one, other] = [rooms.unique(), rooms.unique()];
    expect(one.equals(other)).toBe(false);
    expect(rooms.fromString(String(one)).equals(one)).toBe(true);
  });

  it("a jurisdiction's ids are others, and known as its own wherever they are read", () => {
    const eu = rooms.within("eu");
    const id = eu.fromName("lobby");
    expect(id.equals(rooms.fromName("lobby"))).toBe(false);
    expect(rooms.fromString(String(id)).jurisdiction).toBe("eu");
    expect(() => eu.fromString(String(rooms.fromName("lobby")))).toThrow("not valid");
  });

  it("what only looks like an id is none", () => {
    expect(DurableObjectId.hexOf({ toString: () => "a".repeat(64) })).toBeNull();
    expect(DurableObjectId.hexOf(Object.create(DurableObjectId.prototype))).toBeNull();
  });
});

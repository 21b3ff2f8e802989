import { describe, expect, it } from "vitest";
import { type FarSide, farProperty } from "../../src/gateway/rpc-path.ts";

/** Writes down what is asked of the far side. */
function far(): { readonly asked: string[]; readonly side: FarSide } {
  const asked: string[] = [];
  const note = (path: readonly string[]) => {
    asked.push(path.join("."));
    return Promise.resolve(path.length);
  };
  return { asked, side: { call: note, get: note } };
}

type Property = Readonly<Record<string, (...args: unknown[]) => unknown>> & PromiseLike<unknown>;

describe("a property on the far side", () => {
  it("is called, awaited and gone on from, by the path that leads there", async () => {
    const { asked, side } = far();
    const rooms = farProperty(side, ["rooms"]) as Property;
    await rooms["first"]?.();
    await (rooms["name"] as unknown as Property);
    await rooms;
    expect(asked).toEqual(["rooms.first", "rooms.name", "rooms"]);
  });

  // By these a version could reach, and change, `Object.prototype` of the gateway, which every version there shares.
  it.each(Object.getOwnPropertyNames(Object.prototype))(
    "is not asked for %s, which every object has",
    async (name) => {
      const { asked, side } = far();
      const rooms = farProperty(side, ["rooms"]) as object;
      // The runtime looks here first, and goes by it.
      expect(Object.getOwnPropertyDescriptor(rooms, name)).toBeUndefined();
      expect(Reflect.get(rooms, name)).toBe(Reflect.get(() => undefined, name));
      expect(asked).toEqual([]);
    },
  );
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LoadableModule } from "../../src/domain/version.ts";
import { fromWire, toWire } from "../../src/gateway/version-wire.ts";
import { loadable } from "./fake-control-plane.ts";

const MB = 1_000_000;
const module = (name: string, bytes: Uint8Array): LoadableModule => ({ name, type: "data", bytes });
const versionOf = (...modules: LoadableModule[]) => loadable("", { modules });
const bytes = (...values: number[]) => new Uint8Array(values);

/** A stream that gives these pieces and then ends, or breaks. */
const streamOf = (pieces: readonly Uint8Array[], end: "close" | "break" = "close") =>
  new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      if (end === "close") controller.close();
      else controller.error(new Error("the sender is gone"));
    },
  });

describe("a version between processes", () => {
  it("arrives as it was sent, whatever its modules", async () => {
    const modules = fc.array(
      fc.record({
        name: fc.string({ minLength: 1 }),
        type: fc.constantFrom("esm", "cjs", "text", "data", "wasm", "json", "python"),
        bytes: fc.uint8Array({ maxLength: 100 }),
      }),
      { maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(modules, async (made) => {
        const version = versionOf(...(made as LoadableModule[]));
        const { head, stream } = toWire(version);
        // The head is a message: plain data, without the bytes.
        expect(JSON.stringify(head).length).toBeLessThan(5_000);
        expect(await fromWire(structuredClone(head), stream)).toEqual(version);
      }),
      { numRuns: 50 },
    );
  });

  it("arrives with no module at all, and with empty ones", async () => {
    for (const version of [
      versionOf(),
      versionOf(module("empty", bytes())),
      versionOf(module("a", bytes()), module("b", bytes(1)), module("c", bytes())),
    ]) {
      const { head, stream } = toWire(version);
      expect(await fromWire(head, stream)).toEqual(version);
    }
  });

  it("may have a module that no RPC message could hold, and keeps its own bytes", async () => {
    const large = new Uint8Array(40 * MB).fill(7);
    large[40 * MB - 1] = 9;
    const version = versionOf(module("small", bytes(1, 2)), module("large", large));
    const { head, stream } = toWire(version);
    const arrived = await fromWire(head, stream);
    expect(arrived.modules.map((each) => each.bytes.byteLength)).toEqual([2, 40 * MB]);
    expect(arrived.modules[0]!.bytes).toEqual(bytes(1, 2));
    expect(arrived.modules[1]!.bytes.subarray(-2)).toEqual(bytes(7, 9));
    // Sent once more, for instance to another gateway.
    const again = toWire(version);
    expect((await fromWire(again.head, again.stream)).modules[1]!.bytes.at(-1)).toBe(9);
  });

  const { head } = toWire(versionOf(module("a", bytes(1, 2)), module("b", bytes(3, 4))));
  it.each([
    ["ends too early", streamOf([bytes(1, 2), bytes(3)]), "3 of its 4 bytes"],
    ["is empty", streamOf([]), "0 of its 4 bytes"],
    ["goes on too long", streamOf([bytes(1, 2, 3, 4, 5)]), "5 of its 4 bytes"],
    ["breaks off", streamOf([bytes(1, 2)], "break"), "the sender is gone"],
  ])("is refused when its stream %s", async (_, stream, message) => {
    await expect(fromWire(head, stream)).rejects.toThrow(message);
  });

  it.each([-1, 0.5, Number.NaN, Number.MAX_VALUE])(
    "is refused when a module's size is %d",
    async (size) => {
      const [first, second] = head.modules;
      const odd = { ...head, modules: [{ ...first!, size }, second!] };
      await expect(fromWire(odd, streamOf([bytes(1)]))).rejects.toThrow("has no size");
    },
  );
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  abandon,
  begin,
  discard,
  emptyRegister,
  flip,
  isUnsettled,
  settle,
  type RegisterState,
} from "../../src/domain/register.ts";

describe("register", () => {
  it("shows nothing of a change before flip, and all of it after", () => {
    const begun = begin(emptyRegister<string>(), "i1", "a");
    expect(begun.visible).toBeNull();
    expect(flip(begun).visible).toEqual({ seq: 1, value: "a" });
  });

  it("has one change under way at a time", () => {
    const begun = begin(emptyRegister<string>(), "i1", "a");
    expect(() => begin(begun, "i2", "b")).toThrow(/already under way/);
  });

  it("never makes a change visible that was given up", () => {
    expect(() => flip(abandon(begin(emptyRegister<string>(), "i1", "a")))).toThrow(
      /nothing to make/,
    );
  });

  it("owes the ledger a word until the visible change is settled", () => {
    const flipped = flip(begin(emptyRegister<string>(), "i1", "a"));
    expect(isUnsettled(flipped)).toBe(true);
    expect(isUnsettled(settle(flipped, 1))).toBe(false);
  });

  it("whatever happens in whatever order: sequence numbers only grow and none is used twice", () => {
    const step = fc.constantFrom("begin", "flip", "abandon", "discard", "settle");
    fc.assert(
      fc.property(fc.array(step, { size: "max", maxLength: 60 }), (steps) => {
        let state: RegisterState<number> = emptyRegister();
        const begun = new Set<number>();
        let lastVisible = 0;
        for (const [n, what] of steps.entries()) {
          if (what === "begin" && state.pending === null) {
            state = begin(state, `i${n}`, n);
            const seq = state.pending?.seq ?? 0;
            expect(begun.has(seq)).toBe(false);
            begun.add(seq);
          } else if (what === "flip" && state.pending !== null && !state.pending.aborting) {
            state = flip(state);
          } else if (what === "abandon") state = abandon(state);
          else if (what === "discard" && state.pending?.aborting === true) state = discard(state);
          else if (what === "settle") state = settle(state, state.visible?.seq ?? 0);
          expect(state.visible?.seq ?? 0).toBeGreaterThanOrEqual(lastVisible);
          lastVisible = state.visible?.seq ?? 0;
        }
      }),
      { numRuns: 500 },
    );
  });
});

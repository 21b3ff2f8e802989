import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  inForce,
  whyStopped,
  withoutVersion,
  withTripped,
  type Breaker,
  type StopReason,
} from "../../src/domain/breaker.ts";
import type { VersionId } from "../../src/domain/ids.ts";
import { OPEN_BREAKERS_MAX } from "../../src/domain/limits.ts";

const REASONS: readonly StopReason[] = ["blocked", "crashed", "memory"];
const someBreaker = fc.record({
  id: fc.uuid(),
  versionId: fc.constantFrom("a", "b", "c") as fc.Arbitrary<VersionId>,
  deploymentSeq: fc.nat({ max: 3 }),
  reason: fc.constantFrom(...REASONS),
  stoppedOn: fc.nat(),
  strikes: fc.integer({ min: 1, max: 9 }),
});
/** What a lock can hold: made by breakers that tripped one after the other. */
const someBreakers = fc
  .array(someBreaker)
  .map((all) => all.reduce<readonly Breaker[]>((held, one) => withTripped(held, one).breakers, []));

describe("a breaker that trips", () => {
  it("holds, for its deployment and no other", () => {
    fc.assert(
      fc.property(someBreakers, someBreaker, fc.nat({ max: 3 }), (before, tripped, seq) => {
        const { breakers, held } = withTripped(before, tripped);
        const stopped = inForce(breakers, seq).some((one) => one.versionId === tripped.versionId);
        expect(stopped).toBe(seq === tripped.deploymentSeq);
        expect(held.versionId).toBe(tripped.versionId);
      }),
    );
  });

  it("a second time changes nothing, and finds the first", () => {
    fc.assert(
      fc.property(someBreakers, someBreaker, fc.uuid(), (before, tripped, id) => {
        const first = withTripped(before, tripped);
        const second = withTripped(first.breakers, { ...tripped, id, strikes: 99 });
        expect(second.held).toBe(first.held);
        expect(second.breakers).toEqual(first.breakers);
      }),
    );
  });

  it("leaves other versions of the deployment stopped", () => {
    fc.assert(
      fc.property(someBreakers, someBreaker, (before, tripped) => {
        const { breakers } = withTripped(before, tripped);
        for (const one of inForce(before, tripped.deploymentSeq)) expect(breakers).toContain(one);
      }),
    );
  });

  it("pushes the oldest out where there is no end to them", () => {
    const breaker = (n: number): Breaker => ({
      id: `${n}`,
      versionId: `v${n}` as VersionId,
      deploymentSeq: 1,
      reason: "blocked",
      stoppedOn: n,
      strikes: 2,
    });
    let held: readonly Breaker[] = [];
    for (let n = 0; n <= OPEN_BREAKERS_MAX; n++) held = withTripped(held, breaker(n)).breakers;
    expect(held.length).toBe(OPEN_BREAKERS_MAX);
    expect(held.map(({ id }) => id)).not.toContain("0");
    expect(held.at(-1)?.id).toBe(String(OPEN_BREAKERS_MAX));
  });
});

it("a reset frees that version and no other", () => {
  fc.assert(
    fc.property(someBreakers, fc.constantFrom("a", "b", "c"), (before, version) => {
      const left = withoutVersion(before, version as VersionId);
      expect(left).toEqual(before.filter((one) => one.versionId !== version));
    }),
  );
});

it.each(REASONS)("why it was stopped (%s) is a sentence that says what to do", (reason) => {
  const text = whyStopped({ versionId: "v" as VersionId, reason, stoppedOn: 0, strikes: 2 });
  expect(text).toMatch(/^Version v was stopped, because it repeatedly .+\. Roll back, or deploy/);
});

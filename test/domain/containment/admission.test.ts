import { describe, expect, it } from "vitest";
import { Admission, type Announcement } from "../../../src/domain/containment/admission.ts";
import type { VersionId, WorkerId } from "../../../src/domain/ids.ts";
import { ADMISSION_PROBES, ADMITTED_VERSIONS_MAX, LINGER_MS } from "../../../src/domain/limits.ts";

const dispatch = (id: string, version = id): Announcement => ({
  id,
  workerId: "w" as WorkerId,
  versionId: version as VersionId,
});
/** All probes that one admission needs; the dispatches that may begin then, or null. */
function prove(admission: Admission): string | null {
  for (let n = 1; n < ADMISSION_PROBES; n++) expect(admission.proven()).toEqual([]);
  const begin = admission.proven().map(({ id }) => id);
  return begin.length === 0 ? null : begin.join(" ");
}
const blamed = (admission: Admission, cause: "blocked" | "crashed" | "memory", now = 0) =>
  Object.fromEntries(
    admission.blame(cause, now).map(({ versionId, weight }) => [versionId, weight]),
  );

describe("admission", () => {
  it("is one at a time: the next begins when probes have proved the last, in the order of asking", () => {
    const admission = new Admission();
    expect(admission.announce(dispatch("a"))).toBe("admitted");
    expect(admission.announce(dispatch("b"))).toBe("queued");
    expect(admission.announce(dispatch("c"))).toBe("queued");
    expect(prove(admission)).toBe("b");
    expect(prove(admission)).toBe("c");
    expect(admission.needsProof).toBe(true);
    expect(prove(admission)).toBeNull();
    expect(admission.needsProof).toBe(false);
    expect(admission.announce(dispatch("d"))).toBe("admitted");
  });

  it("a version that has not run yet goes before more of one that has: the harmful one is found at once", () => {
    const admission = new Admission();
    admission.announce(dispatch("1", "caller"));
    admission.announce(dispatch("2", "caller"));
    admission.announce(dispatch("3", "callee"));
    expect(prove(admission)).toBe("3");
    expect(prove(admission)).toBe("2");
  });

  it("all that wait for one version begin together: which of them blocks makes no difference", () => {
    const admission = new Admission();
    admission.announce(dispatch("1", "a"));
    admission.announce(dispatch("2", "a"));
    admission.announce(dispatch("3", "b"));
    admission.announce(dispatch("4", "b"));
    admission.announce(dispatch("5", "a"));
    expect(prove(admission)).toBe("3 4");
    expect(Object.keys(blamed(admission, "blocked"))).toContain("b");
    expect(prove(admission)).toBe("2 5");
    expect(admission).toMatchObject({ queued: 0, inFlight: 5 });
  });

  it("one probe is no proof: it may have overtaken the admission", () => {
    const admission = new Admission();
    admission.announce(dispatch("a"));
    admission.announce(dispatch("b"));
    expect(admission.proven()).toEqual([]);
    expect(admission.announce(dispatch("c"))).toBe("queued");
  });

  it("the end of a dispatch is no proof: the version may go on after its response", () => {
    const admission = new Admission();
    admission.announce(dispatch("a"));
    admission.done("a", 1);
    expect(admission.announce(dispatch("b"))).toBe("queued");
    expect(prove(admission)).toBe("b");
  });

  it("a queued dispatch that was given up never begins", () => {
    const admission = new Admission();
    admission.announce(dispatch("a"));
    admission.announce(dispatch("b"));
    admission.done("b", 1);
    expect(prove(admission)).toBeNull();
    expect(admission).toMatchObject({ queued: 0, inFlight: 1 });
  });
});

describe("blame", () => {
  it("nothing ran: nobody", () => {
    expect(new Admission().blame("crashed", 0)).toEqual([]);
  });

  it("alone in the process: a whole strike, proven or not, however many dispatches", () => {
    const admission = new Admission();
    admission.announce(dispatch("a", "v"));
    expect(blamed(admission, "blocked")).toEqual({ v: 1 });
    admission.announce(dispatch("b", "v"));
    prove(admission);
    prove(admission);
    expect(blamed(admission, "crashed")).toEqual({ v: 1 });
  });

  it("a queued dispatch has not begun: it is no company", () => {
    const admission = new Admission();
    admission.announce(dispatch("a", "v"));
    admission.announce(dispatch("b", "u"));
    expect(blamed(admission, "blocked")).toEqual({ v: 1 });
  });

  it("in company the unproven one gets an even share, the others half of it", () => {
    const admission = new Admission();
    admission.announce(dispatch("a", "v"));
    prove(admission);
    admission.announce(dispatch("b", "u"));
    expect(blamed(admission, "blocked")).toEqual({ v: 0.25, u: 0.5 });
    expect(blamed(admission, "memory")).toEqual({ v: 0.5, u: 0.5 });
    prove(admission);
    expect(blamed(admission, "blocked")).toEqual({ v: 0.5, u: 0.5 });
  });

  it("what ended not long ago may go on after its response; later it is nobody's company", () => {
    const admission = new Admission();
    admission.announce(dispatch("a", "v"));
    prove(admission);
    admission.done("a", 1_000);
    expect(blamed(admission, "blocked", 1_000 + LINGER_MS)).toEqual({ v: 1 });
    admission.announce(dispatch("b", "u"));
    prove(admission);
    expect(blamed(admission, "blocked", 1_000 + LINGER_MS)).toEqual({ v: 0.5, u: 0.5 });
    expect(blamed(admission, "blocked", 1_001 + LINGER_MS)).toEqual({ u: 1 });
  });
});

it("memory is bounded", () => {
  const admission = new Admission();
  for (let n = 0; n < 2 * ADMITTED_VERSIONS_MAX; n++) {
    admission.announce(dispatch(`d${n}`));
    prove(admission);
    admission.done(`d${n}`, 0);
  }
  expect(admission.blame("crashed", 0)).toHaveLength(ADMITTED_VERSIONS_MAX);
});

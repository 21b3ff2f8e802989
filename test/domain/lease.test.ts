import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  authorise,
  authorityRecord,
  boot,
  earlierAuthority,
  grant,
  hold,
  isAlive,
  isDrained,
  needsAuthority,
  spread,
  unspread,
  type Grant,
  type Granter,
  type Lease,
  type LeaseTerms,
} from "../../src/domain/lease.ts";

const TERMS: LeaseTerms = { leaseMs: 1_000, authorityMs: 2_000, driftPermille: 100, marginMs: 3 };
const VISIBLE = { seq: 7, pending: false };
const PENDING = { seq: 7, pending: true };

const drifts = fc.integer({ min: 0, max: 500 });
const termsOf = (driftPermille: number): LeaseTerms => ({ ...TERMS, driftPermille });
const ms = fc.nat(600_000);

/** A clock within the drift that the terms allow: any rate, any offset, shown in whole milliseconds. */
const clockWithin = (drift: number) =>
  fc
    .record({
      permille: fc.oneof(
        fc.constantFrom(1000 - drift, 1000 + drift),
        fc.integer({ min: 1000 - drift, max: 1000 + drift }),
      ),
      offset: fc.double({ min: 0, max: 10_000, noNaN: true }),
    })
    .map(({ permille, offset }) => ({
      read: (t: number) => Math.floor(offset + (t * permille) / 1000),
      /** The first true time, to a hair, at which it shows `reading`. */
      shows: (reading: number) => ((reading - offset) * 1000) / permille + 1e-6,
    }));
const tenth = clockWithin(100);
const trueTime = fc.double({ min: 0, max: 5_000, noNaN: true });

const fresh = (now: number): Granter => boot(TERMS, now, null);

describe("waiting for the slowest clock", () => {
  it("what is given within a wait never makes the wait longer", () => {
    fc.assert(
      fc.property(drifts, ms, (drift, wait) => {
        const terms = termsOf(drift);
        expect(spread(terms, unspread(terms, wait))).toBeLessThanOrEqual(wait);
      }),
    );
  });

  it("no longer lease would be over within the wait", () => {
    fc.assert(
      fc.property(drifts, ms, (drift, wait) => {
        const terms = termsOf(drift);
        expect(spread(terms, unspread(terms, wait) + 1)).toBeGreaterThan(wait);
      }),
    );
  });

  it("a tenth of drift costs 222 ms a second, and the margin", () => {
    expect(spread(TERMS, 1_000)).toBe(1_226);
    expect(unspread(TERMS, 1_226)).toBe(1_000);
    expect(unspread(TERMS, 1_225)).toBe(999);
    expect(spread(TERMS, 0)).toBe(3);
  });

  it("is over only when every holder has stopped, whatever the rates of both clocks", () => {
    fc.assert(
      fc.property(
        tenth,
        tenth,
        trueTime,
        fc.nat(3_000),
        fc.nat(50),
        (holder, granter, askedAt, late, term) => {
          const terms = { ...TERMS, leaseMs: 1 + term };
          const now = granter.read(askedAt + late / 1000);
          const given = grant(terms, boot(terms, now, null), VISIBLE, now);
          const lease = hold(null, holder.read(askedAt), given.grant) as Lease;
          const drained = granter.shows(given.granter.drainedAt);
          expect(isDrained(given.granter, granter.read(drained))).toBe(true);
          expect(isAlive(lease, holder.read(drained))).toBe(false);
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe("giving leases", () => {
  it("remembers the last instant at which any lease lives", () => {
    const first = grant(TERMS, fresh(0), VISIBLE, 0);
    expect(first).toEqual({
      granter: { ...fresh(0), drainedAt: 1_226 },
      grant: { kind: "serve", seq: 7, leaseMs: 1_000 },
    });
    expect(grant({ ...TERMS, leaseMs: 10 }, first.granter, VISIBLE, 5).granter.drainedAt).toBe(
      1_226,
    );
    expect(grant(TERMS, first.granter, VISIBLE, 5).granter.drainedAt).toBe(1_231);
  });

  it("while a change is pending, however many ask: the wait is not lengthened, and nobody outlives it", () => {
    fc.assert(
      fc.property(
        tenth,
        tenth,
        fc.array(fc.tuple(fc.nat(300), fc.nat(50)), { maxLength: 30 }),
        (clock, holder, asks) => {
          let t = 0;
          let granter = grant(TERMS, fresh(clock.read(0)), VISIBLE, clock.read(0)).granter;
          const { drainedAt } = granter;
          const drained = clock.shows(drainedAt);
          for (const [wait, travel] of asks) {
            t += wait;
            const askedAt = holder.read(t);
            t += travel;
            const answer = grant(TERMS, granter, PENDING, clock.read(t));
            granter = answer.granter;
            expect(granter.drainedAt).toBe(drainedAt);
            const lease = hold(null, askedAt, answer.grant);
            if (lease !== null)
              expect(isAlive(lease, holder.read(Math.max(drained, t)))).toBe(false);
          }
        },
      ),
    );
  });

  it("answers the asking request alone, with 0 ms, once the pending change may become visible", () => {
    const granter = grant(TERMS, fresh(0), VISIBLE, 0).granter;
    const answer = (now: number) => grant(TERMS, granter, PENDING, now).grant;
    expect(answer(1_221)).toEqual({ kind: "serve", seq: 7, leaseMs: 1 });
    expect(answer(1_222)).toEqual({ kind: "serve", seq: 7, leaseMs: 0 });
    expect(isDrained(granter, 1_225)).toBe(false);
    expect(isDrained(granter, 1_226)).toBe(true);
    expect(answer(1_500)).toEqual({ kind: "serve", seq: 7, leaseMs: 0 });
  });

  it("no lease outlives the authority, and at its end there is no answer at all", () => {
    expect(grant(TERMS, fresh(0), VISIBLE, 1_999).grant).toEqual({
      kind: "serve",
      seq: 7,
      leaseMs: 1,
    });
    for (const register of [VISIBLE, PENDING]) {
      const granter = { ...fresh(0), drainedAt: 9_000 };
      expect(grant(TERMS, granter, register, 2_000)).toEqual({
        granter,
        grant: { kind: "refuse" },
      });
    }
  });

  it("authority is written anew when half of its term is gone, and counts from the beginning of the write", () => {
    expect(needsAuthority(TERMS, fresh(0), 1_000)).toBe(false);
    expect(needsAuthority(TERMS, fresh(0), 1_001)).toBe(true);
    expect(authorise(TERMS, fresh(0), 1_001).authorityUntil).toBe(3_001);
    expect(authorise({ ...TERMS, authorityMs: 10 }, fresh(0), 5).authorityUntil).toBe(2_000);
  });
});

describe("a new instance", () => {
  it("waits out the term of the one before it, not its own", () => {
    expect(boot(TERMS, 50, 10_000).drainedAt).toBe(50 + spread(TERMS, 10_000));
    expect(boot(TERMS, 50, null).drainedAt).toBe(50);
    expect(boot(TERMS, 50, 10_000).authorityUntil).toBe(2_050);
  });

  it("flips only when the one before it has fallen silent, and its last lease is over", () => {
    fc.assert(
      fc.property(
        tenth,
        tenth,
        tenth,
        trueTime,
        fc.nat(2_500_000),
        (before, after, holder, wroteAt, sooner) => {
          const started = before.read(wroteAt);
          const granter = authorise(TERMS, fresh(started), started);
          const { authorityMs } = authorityRecord(granter, started);
          const askedAt = wroteAt + sooner / 1000;
          const last = grant(TERMS, granter, VISIBLE, before.read(askedAt)).grant;
          const lease = hold(null, holder.read(askedAt), last);
          // At the worst the new one reads the record in the instant in which the write of it begins.
          const next = boot(TERMS, after.read(wroteAt), authorityMs);
          const flipped = after.shows(next.drainedAt);
          if (lease !== null) expect(isAlive(lease, holder.read(flipped))).toBe(false);
          expect(grant(TERMS, granter, VISIBLE, before.read(flipped)).grant.kind).toBe("refuse");
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it("hands on a longer term than its own until the leases given under that are over", () => {
    const short = { ...TERMS, leaseMs: 100, authorityMs: 200 };
    const granter = boot(short, 0, 10_000);
    expect(authorityRecord(granter, 0)).toEqual({ authorityMs: 10_000, horizon: 10_000 });
    const { drainedAt } = granter;
    expect(
      authorityRecord(authorise(short, granter, drainedAt - 1), drainedAt - 1).authorityMs,
    ).toBe(10_000);
    expect(authorityRecord(authorise(short, granter, drainedAt), drainedAt)).toEqual({
      authorityMs: 200,
      horizon: drainedAt + 200,
    });
  });

  it("hands on a term that was shortened in its own time", () => {
    const granter = authorise({ ...TERMS, authorityMs: 200 }, fresh(0), 500);
    expect(authorityRecord(granter, 500)).toEqual({ authorityMs: 1_500, horizon: 2_000 });
    expect(
      authorityRecord(authorise({ ...TERMS, authorityMs: 200 }, granter, 1_900), 1_900).authorityMs,
    ).toBe(200);
  });

  it("the term handed on does not grow, however often instances die young", () => {
    let record = authorityRecord(boot(TERMS, 0, null), 0);
    for (let now = 1; now < 50; now++) {
      record = authorityRecord(boot(TERMS, now, earlierAuthority(record, now, 60_000)), now);
    }
    expect(record.authorityMs).toBe(2_000);
  });

  it("does not wait when the wall clock is a term and the skew past the horizon", () => {
    const record = { authorityMs: 2_000, horizon: 100_000 };
    expect(earlierAuthority(record, 162_000, 60_000)).toBe(2_000);
    expect(earlierAuthority(record, 162_001, 60_000)).toBeNull();
  });
});

describe("holding a lease", () => {
  const grants = fc.record({ askedAt: fc.nat(20), seq: fc.nat(4), leaseMs: fc.nat(20) });
  const hearAll = (answers: readonly { askedAt: number; seq: number; leaseMs: number }[]) =>
    answers.reduce<Lease | null>(
      (lease, { askedAt, ...rest }) => hold(lease, askedAt, { kind: "serve", ...rest }),
      null,
    );

  it("never goes back: to a smaller number, or to an earlier end of the same", () => {
    fc.assert(
      fc.property(fc.array(grants, { minLength: 1 }), grants, (answers, { askedAt, ...rest }) => {
        const before = hearAll(answers) as Lease;
        const after = hold(before, askedAt, { kind: "serve", ...rest }) as Lease;
        expect(after.seq).toBeGreaterThanOrEqual(before.seq);
        if (after.seq === before.seq) expect(after.until).toBeGreaterThanOrEqual(before.until);
      }),
    );
  });

  it("is the same in whatever order answers come, and however often", () => {
    fc.assert(
      fc.property(
        fc
          .array(grants)
          .chain((answers) =>
            fc.tuple(
              fc.constant(answers),
              fc.shuffledSubarray([...answers, ...answers], { minLength: answers.length * 2 }),
            ),
          ),
        ([answers, shuffled]) => {
          expect(hearAll(shuffled)).toEqual(hearAll(answers));
        },
      ),
    );
  });

  it("an old lease is not lengthened by what is said of a new number", () => {
    const old: Lease = { seq: 1, until: 100 };
    const answer: Grant = { kind: "serve", seq: 2, leaseMs: 0 };
    expect(hold(old, 50, answer)).toEqual({ seq: 2, until: 50 });
  });

  it("a refusal changes nothing", () => {
    const lease: Lease = { seq: 1, until: 100 };
    expect(hold(lease, 500, { kind: "refuse" })).toBe(lease);
    expect(hold(null, 500, { kind: "refuse" })).toBeNull();
  });

  it("lives until its last millisecond, and not in it; a lease of 0 ms never does", () => {
    expect(isAlive({ seq: 1, until: 100 }, 99)).toBe(true);
    expect(isAlive({ seq: 1, until: 100 }, 100)).toBe(false);
    expect(isAlive(hold(null, 100, { kind: "serve", seq: 1, leaseMs: 0 }) as Lease, 100)).toBe(
      false,
    );
  });
});

/**
 * Leases on a register, pure: "drain, then flip". The granter (the lock) remembers one number about all the
 * leases it ever gave: the instant by which the last of them is over. A holder (a gateway isolate) serves
 * from memory while its lease lives, counted from before it asked. docs/consistency.md has the argument.
 *
 * Times are integers in milliseconds on the caller's own clock. Two clocks are never compared.
 */

/** How long leases live, and how wrong clocks may be. Fixed for one grant; a granter may change them between grants. */
export interface LeaseTerms {
  /** Life of a lease as its holder counts it. Shorter: quicker acknowledgement, more asks. */
  readonly leaseMs: number;
  /** How long one durable write lets an instance of the granter give leases. A new instance waits it out. */
  readonly authorityMs: number;
  /** How far a clock's rate may be off, in thousandths: chrony slews by up to 83. */
  readonly driftPermille: number;
  /**
   * Added to every wait of the granter: rounding, and the granularity of clocks. Two clocks that are read in
   * whole milliseconds may err by (1 + r) / (1 - r) + 1 with r the drift: at least 3 for a tenth.
   */
  readonly marginMs: number;
}

/** What a granter knows besides the register; lost with the instance. */
export interface Granter {
  /** On the granter's clock: from then on no lease given so far is alive anywhere. */
  readonly drainedAt: number;
  /** On the granter's clock: every lease that this instance gives is over by then, and it gives none afterwards. */
  readonly authorityUntil: number;
  /** The term under which instances before this one gave leases; 0 when none of those can be alive. */
  readonly inheritedMs: number;
  /** On the granter's clock: from then on no lease of an earlier instance is alive. */
  readonly inheritedUntil: number;
}

/** What a granter leaves in storage with each write of its authority, for the instance after it. */
export interface AuthorityRecord {
  /** Every lease alive, or given before the next write, is over this long after the write by its writer's clock. */
  readonly authorityMs: number;
  /** The end of that, as a wall clock reading. */
  readonly horizon: number;
}

/** The granter's answer. A lease of 0 ms is an answer for the asking request alone. */
export type Grant =
  | { readonly kind: "serve"; readonly seq: number; readonly leaseMs: number }
  | { readonly kind: "refuse" };

/** What a holder has: the newest sequence number it was told, and until when it may serve it unasked. */
export interface Lease {
  readonly seq: number;
  readonly until: number;
}

/** How long the granter has to wait, by its clock, until a holder with the slowest clock has counted `ms`. */
export const spread = (terms: LeaseTerms, ms: number): number =>
  Math.ceil((ms * (1000 + terms.driftPermille)) / (1000 - terms.driftPermille)) + terms.marginMs;

/** The longest lease that is over everywhere within `ms` of the granter's clock. Never more than `spread` undoes. */
export const unspread = (terms: LeaseTerms, ms: number): number =>
  Math.floor(((ms - terms.marginMs) * (1000 - terms.driftPermille)) / (1000 + terms.driftPermille));

/**
 * A new instance. `earlierAuthorityMs` is what `earlierAuthority` makes of the stored record: all leases given by
 * earlier instances are over by `drainedAt`. The instance's own record has to be durable before its first answer.
 */
export const boot = (
  terms: LeaseTerms,
  now: number,
  earlierAuthorityMs: number | null,
): Granter => {
  const drainedAt = earlierAuthorityMs === null ? now : now + spread(terms, earlierAuthorityMs);
  return {
    drainedAt,
    authorityUntil: now + terms.authorityMs,
    inheritedMs: earlierAuthorityMs ?? 0,
    inheritedUntil: drainedAt,
  };
};

/**
 * What to store with the authority that began at `started`. A longer term of an earlier instance, or of this one
 * before its terms were changed, stays on record until its leases are over: the next instance may come at once.
 */
export const authorityRecord = (granter: Granter, started: number): AuthorityRecord => {
  const inheritedMs = started < granter.inheritedUntil ? granter.inheritedMs : 0;
  const authorityMs = Math.max(granter.authorityUntil - started, inheritedMs);
  return { authorityMs, horizon: started + authorityMs };
};

/**
 * The term that a new instance has to wait out, for `boot`; null when the wall clock says, by a whole term and
 * `skewMs` (how far the wall clocks of two machines may be apart), that it is long past.
 */
export const earlierAuthority = (
  record: AuthorityRecord,
  now: number,
  skewMs: number,
): number | null =>
  now > record.horizon + record.authorityMs + skewMs ? null : record.authorityMs;

/** After a durable write that began at `started`: no other instance can have taken over before. */
export const authorise = (terms: LeaseTerms, granter: Granter, started: number): Granter => ({
  ...granter,
  authorityUntil: Math.max(granter.authorityUntil, started + terms.authorityMs),
});

/** True when the authority has to be written anew before the next grant, or half of its term would be gone. */
export const needsAuthority = (terms: LeaseTerms, granter: Granter, now: number): boolean =>
  granter.authorityUntil - now < terms.authorityMs / 2;

/**
 * Give a lease on `seq`. While a change is pending, leases are cut so that none outlives those given before it:
 * `drainedAt` no longer moves, and the change becomes visible on time however many ask.
 */
export function grant(
  terms: LeaseTerms,
  granter: Granter,
  register: { readonly seq: number; readonly pending: boolean },
  now: number,
): { readonly granter: Granter; readonly grant: Grant } {
  if (now >= granter.authorityUntil) return { granter, grant: { kind: "refuse" } };
  const full = Math.min(terms.leaseMs, granter.authorityUntil - now);
  const { seq } = register;
  if (register.pending) {
    const leaseMs = Math.max(0, Math.min(full, unspread(terms, granter.drainedAt - now)));
    return { granter, grant: { kind: "serve", seq, leaseMs } };
  }
  const drainedAt = Math.max(granter.drainedAt, now + spread(terms, full));
  return { granter: { ...granter, drainedAt }, grant: { kind: "serve", seq, leaseMs: full } };
}

/** True when no lease given so far is alive: the pending change may become visible. */
export const isDrained = (granter: Granter, now: number): boolean => now >= granter.drainedAt;

/**
 * A holder hears an answer to what it asked at `askedAt`, by its own clock before it sent. Late, doubled and
 * reordered answers do no harm: a lease only ever moves to a later sequence number, or lives longer.
 */
export function hold(lease: Lease | null, askedAt: number, answer: Grant): Lease | null {
  if (answer.kind === "refuse") return lease;
  const until = askedAt + answer.leaseMs;
  if (lease === null || answer.seq > lease.seq) return { seq: answer.seq, until };
  return answer.seq === lease.seq && until > lease.until ? { seq: lease.seq, until } : lease;
}

/** True while the holder may serve what it holds without asking. */
export const isAlive = (lease: Lease, now: number): boolean => now < lease.until;

/**
 * Suspect hosts, and the groups in which they are kept apart: group testing. Each group has a gateway process of
 * its own; when that one is lost, those of the group that can be the cause are split over at least two processes,
 * so that a culprit is alone after few losses, and the others are with it no longer. Declarative: `wanted` says
 * which groups need a process; a group's number is never used again, and a lost process's group is replaced.
 */
import {
  GROUP_TRIAL_MS,
  QUARANTINE_MAX,
  SUSPECT_MS,
  SUSPECT_MS_MAX,
  SUSPECTS_MAX,
  SUSPICION_MEMORY_MS,
} from "../limits.ts";
import type { PossibleCauses } from "./flights.ts";

export interface WantedGroup {
  readonly group: number;
  readonly hosts: readonly string[];
}

/** New groups that a loss asks for: two for the likely causes, one for those that were only there. */
const GROUPS_APART = 3;
const NO_GROUP = -1;

interface Suspicion {
  group: number;
  /** Without an incident it ends then. */
  until: number;
  readonly suspectedAt: number;
  readonly termMs: number;
  /** Sum of its even shares of the losses since it came apart, or was alone and nothing happened. */
  score: number;
}

interface Group {
  readonly number: number;
  readonly hosts: Set<string>;
  /** When its hosts were last suspected. */
  incidentAt: number;
}

/** Somebody is the likely cause, if anybody can be. */
function likeliest(causes: PossibleCauses, members: readonly string[]): PossibleCauses {
  if (causes.prime.length > 0) return causes;
  return { prime: causes.others.length > 0 ? causes.others : members, others: [] };
}

export class Quarantine {
  readonly #groupsMax: number;
  readonly #groups = new Map<number, Group>();
  readonly #suspects = new Map<string, Suspicion>();
  /** Hosts that were cleared: what comes next is their second time. */
  readonly #cleared = new Map<string, Suspicion>();
  #lastGroup = 0;

  /** `groupsMax`: processes for suspects, at least 1. */
  constructor(groupsMax = QUARANTINE_MAX) {
    this.#groupsMax = groupsMax;
  }

  /** Suspect hosts. */
  get size(): number {
    return this.#suspects.size;
  }

  /** Hosts that are or were suspect. */
  get remembered(): number {
    return this.#suspects.size + this.#cleared.size;
  }

  /** The group of a suspect host; null for every other. */
  groupOf(host: string): number | null {
    if (this.#suspects.size === 0) return null;
    return this.#suspects.get(host)?.group ?? null;
  }

  /** The groups that need a process now, each with its hosts. */
  wanted(): readonly WantedGroup[] {
    return [...this.#groups.values()].map(({ number, hosts }) => ({
      group: number,
      hosts: [...hosts],
    }));
  }

  isWanted(group: number): boolean {
    return this.#groups.has(group);
  }

  /**
   * A gateway was lost: `group` is that of a quarantine gateway, null for one of the pool. Prime causes are
   * suspected anew; the others only stay or come apart. Of these, who was there again and again when the pool lost one
   * gets a longer term too: its timers may run for longer than it was kept apart. Hosts of the group that cannot be
   * the cause are cleared. If nothing explains the loss, the whole group stays suspect; in the pool, nobody is.
   */
  lost(group: number | null, causes: PossibleCauses, now: number): void {
    const lost = group === null ? undefined : this.#groups.get(group);
    if (lost) this.#groups.delete(lost.number);
    const members = lost ? [...lost.hosts] : [];
    const { prime, others } = likeliest(causes, members);
    const free = (host: string) => {
      const at = this.#suspects.get(host);
      return at === undefined || !this.#groups.has(at.group);
    };
    const share = 1 / Math.max(1, prime.length + others.length);
    this.#suspectAll(prime, share, true, now);
    this.#suspectAll(others, 0, group === null, now);
    const primeApart = prime.filter(free);
    const othersApart = others.filter(free);
    this.#regroup(primeApart, othersApart, now);
    // Whoever has not got a new group by now cannot be the cause.
    for (const host of members) {
      const suspicion = this.#suspects.get(host);
      if (suspicion && !this.#groups.has(suspicion.group)) this.#clear(host, suspicion);
    }
    this.#boundMemory();
  }

  /** Clears hosts that had no incident for long enough. Call about once a second. */
  tick(now: number): void {
    for (const [host, suspicion] of this.#suspects) {
      if (suspicion.until <= now) this.#clear(host, suspicion);
    }
    for (const [host, { suspectedAt }] of this.#cleared) {
      if (now - suspectedAt > SUSPICION_MEMORY_MS) this.#cleared.delete(host);
    }
  }

  /** `share` of the loss; `longer`: whoever is suspected again stays apart for longer than before. */
  #suspectAll(hosts: readonly string[], share: number, longer: boolean, now: number): void {
    for (const host of hosts) {
      const current = this.#suspects.get(host);
      const before = current ?? this.#cleared.get(host);
      const repeated = before && now - before.suspectedAt <= SUSPICION_MEMORY_MS;
      let termMs = repeated ? before.termMs : SUSPECT_MS;
      if (repeated && longer) termMs = Math.min(2 * termMs, SUSPECT_MS_MAX);
      const group = current?.group ?? NO_GROUP;
      const score = (current?.score ?? 0) + share;
      this.#cleared.delete(host);
      this.#suspects.set(host, { group, until: now + termMs, suspectedAt: now, termMs, score });
      const stays = this.#groups.get(group);
      if (stays) stays.incidentAt = now;
    }
  }

  /**
   * New groups. With one process to be had, half of the prime causes stay in it and all others join the crowd of
   * another group; with more, the last is for the others, and the prime causes are dealt over the rest. One whose
   * shares make up a whole loss is tried alone: with many culprits at once, halving groups does not find them.
   */
  #regroup(prime: readonly string[], others: readonly string[], now: number): void {
    if (prime.length + others.length === 0) return;
    const scoreOf = (host: string) => this.#suspects.get(host)?.score ?? 0;
    const ranked = prime.toSorted((a, b) => scoreOf(b) - scoreOf(a));
    const isAlone = scoreOf(ranked[0] ?? "") >= 1;
    const groups = this.#openGroups(prime.length + Math.min(others.length, 1), now);
    const [first, last] = [groups[0], groups.at(-1)];
    const crowd = this.#crowd();
    if (first === last) {
      const staying = isAlone ? 1 : Math.ceil(ranked.length / 2);
      ranked.forEach((host, at) => this.#join(host, at < staying ? first : (crowd ?? first)));
      const company = ranked.length > 0 ? crowd : undefined;
      for (const host of others) this.#join(host, company ?? first);
      return;
    }
    for (const host of others) this.#join(host, last);
    const dealt = others.length > 0 ? groups.slice(0, -1) : groups;
    const alone = isAlone && dealt.length > 1 ? 1 : 0;
    ranked.forEach((host, at) => {
      const to = at < alone ? 0 : alone + ((at - alone) % (dealt.length - alone));
      this.#join(host, dealt[to]);
    });
  }

  /** The group with most hosts; undefined if each host has a process of its own. */
  #crowd(): Group | undefined {
    let crowd: Group | undefined;
    for (const group of this.#groups.values()) {
      if (group.hosts.size > (crowd?.hosts.size ?? 1)) crowd = group;
    }
    return crowd;
  }

  /** At most `count` new groups. For the third of them, groups that have stood their trial move together. */
  #openGroups(count: number, now: number): readonly Group[] {
    const least = Math.min(GROUPS_APART, count);
    while (this.#groupsMax - this.#groups.size < least && this.#mergeQuietest(now));
    const free = this.#groupsMax - this.#groups.size;
    if (free <= 0) return [...this.#groups.values()].slice(0, 1);
    return Array.from({ length: Math.min(free, count) }, () => {
      const group: Group = { number: ++this.#lastGroup, hosts: new Set(), incidentAt: now };
      this.#groups.set(group.number, group);
      return group;
    });
  }

  /** The two groups that have been quiet for longest, if it was long enough, share the larger one's process. */
  #mergeQuietest(now: number): boolean {
    const [first, second] = [...this.#groups.values()]
      .filter(({ incidentAt }) => now - incidentAt >= GROUP_TRIAL_MS)
      .toSorted((a, b) => a.incidentAt - b.incidentAt || a.hosts.size - b.hosts.size);
    if (!first || !second) return false;
    const [from, into] = first.hosts.size > second.hosts.size ? [second, first] : [first, second];
    for (const group of [from, into]) {
      if (group.hosts.size > 1) continue;
      for (const host of group.hosts) this.#exonerate(host);
    }
    this.#groups.delete(from.number);
    into.incidentAt = Math.max(first.incidentAt, second.incidentAt);
    for (const host of from.hosts) this.#join(host, into);
    return true;
  }

  #exonerate(host: string): void {
    const suspicion = this.#suspects.get(host);
    if (suspicion) suspicion.score = 0;
  }

  #join(host: string, group: Group | undefined): void {
    const suspicion = this.#suspects.get(host);
    if (!suspicion || !group) return;
    suspicion.group = group.number;
    group.hosts.add(host);
  }

  #clear(host: string, suspicion: Suspicion): void {
    this.#suspects.delete(host);
    this.#cleared.delete(host);
    this.#cleared.set(host, suspicion);
    const group = this.#groups.get(suspicion.group);
    if (!group) return;
    group.hosts.delete(host);
    if (group.hosts.size === 0) this.#groups.delete(group.number);
  }

  /** Those that would be cleared next go first: who was suspected again and again stays. */
  #boundMemory(): void {
    const excess = this.#suspects.size - SUSPECTS_MAX;
    if (excess > 0) {
      const soonest = [...this.#suspects].toSorted(([, a], [, b]) => a.until - b.until);
      for (const [host, suspicion] of soonest.slice(0, excess)) this.#clear(host, suspicion);
    }
    for (const host of this.#cleared.keys()) {
      if (this.#cleared.size <= SUSPECTS_MAX) break;
      this.#cleared.delete(host);
    }
  }
}

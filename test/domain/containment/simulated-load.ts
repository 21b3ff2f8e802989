import type { Behaviour, Outcome } from "./simulated-gateway.ts";
import { SimulatedHost } from "./simulated-host.ts";

/** A host name: its versions have equal shares of the requests. */
export interface Site {
  readonly host: string;
  readonly behaviours: readonly Behaviour[];
  readonly clients: number;
  /** Pause of each client between its requests, in milliseconds: the mean. */
  readonly pauseMs: number;
  /** How long its clients wait for an answer, in milliseconds. Undefined: as long as it takes. */
  readonly patienceMs?: number;
  /** Each request comes under a host name of its own, as below a wildcard route. */
  readonly freshHosts?: boolean;
}

export interface Tally {
  asked: number;
  served: number;
  stopped: number;
  failed: number;
  /** Served, or stopped, or failed, after more than a second. */
  late: number;
  longestMs: number;
}

export const isInnocent = (behaviour: Behaviour): boolean =>
  behaviour.kind === "good" || behaviour.kind === "slow";
export const versionOf = (site: Site, at: number): string => `${site.host}/${at}`;

export interface Run {
  readonly host: SimulatedHost;
  readonly tallies: ReadonlyMap<string, Tally>;
  /** Visits that were never over. */
  readonly open: number;
}

/** Clients that ask one request after the other for so long; then the host has half a minute to come to rest. */
export function runLoad(sites: readonly Site[], poolSize: number, ms: number, seed: number): Run {
  const host = new SimulatedHost(seed, poolSize);
  const tallies = new Map<string, Tally>();
  let open = 0;
  const client = (site: Site, tally: Tally) => {
    const { now } = host.time;
    if (now >= ms) return;
    const at = Math.floor(host.random() * site.behaviours.length);
    const behaviour = site.behaviours[at] ?? { kind: "good", cpuMs: 1 };
    open++;
    tally.asked++;
    const whenOver = (outcome: Outcome) => {
      open--;
      const tookMs = host.time.now - now;
      const pardonMs = behaviour.kind === "slow" ? behaviour.waitMs : 0;
      if (outcome !== "left") tally[outcome]++;
      if (tookMs - pardonMs > 1_000) tally.late++;
      tally.longestMs = Math.max(tally.longestMs, tookMs - pardonMs);
      host.time.after(site.pauseMs * 2 * host.random() + 0.1, () => client(site, tally));
    };
    const name = site.freshHosts ? `${tally.asked}.${site.host}` : site.host;
    const visit = { host: name, versionId: versionOf(site, at), behaviour, whenOver };
    host.visit(visit, site.patienceMs);
  };
  for (const site of sites) {
    const tally = { asked: 0, served: 0, stopped: 0, failed: 0, late: 0, longestMs: 0 };
    tallies.set(site.host, tally);
    for (let n = 0; n < site.clients; n++) {
      host.time.after(200 + site.pauseMs * host.random(), () => client(site, tally));
    }
  }
  host.runUntil(ms + 30_000);
  return { host, tallies, open };
}

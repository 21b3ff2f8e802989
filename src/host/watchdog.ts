/**
 * Looks at every gateway many times a second: whether its event loop still turns, how much CPU time it burns without
 * turning, how much memory it holds. What follows from that is decided in domain/containment/watch.
 */
import { Duty } from "../domain/containment/duty.ts";
import { judge, type Verdict, type WatchLimits } from "../domain/containment/watch.ts";
import { HOG_WINDOW_MS, MEMORY_EVICTION_MS, STALLED_MS } from "../domain/limits.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import { processUsage, type ProcessUsage } from "./process-usage.ts";

/** Between two probes of one gateway, in milliseconds: what adds to the time until a wedge is seen. */
const PROBE_INTERVAL_MS = 100;
/** Between two looks at probes that are out, in milliseconds. */
const LOOK_MS = 20;
/** Between two looks at a gateway's memory, in milliseconds: V8 fills some 100 MB in this time. */
const MEMORY_INTERVAL_MS = 200;
/** A probe that is out for so long is given up, in milliseconds; by then a verdict has been spoken. */
const PROBE_MS_MAX = 10_000;

export interface WatchdogParts {
  readonly limits: WatchLimits;
  readonly usage?: (pid: number) => ProcessUsage | null;
  /** Spoken whenever it changes, and "evict", "replace" and "hogged" as long as they hold. */
  readonly onVerdict: (gateway: GatewayProcess, verdict: Verdict) => void;
  /** The process answered a probe that was sent at `sentAt`. */
  readonly onAlive: (gateway: GatewayProcess, sentAt: number) => void;
  /** Milliseconds, of a clock that does not go back. */
  readonly now: () => number;
}

interface Probe {
  readonly sentAt: number;
  /** Since when nothing has been heard of the process. */
  silentSince: number;
  /** What the process had used by then; null: not known. */
  cpuMs: number | null;
  blindMs: number;
  /** An answer to a visitor has come since the last look. */
  heard: boolean;
}

interface Watched {
  readonly gateway: GatewayProcess;
  /** The probe that is out. */
  out: Probe | null;
  /** Another one as soon as that is answered. */
  again: boolean;
  nextProbe: number;
  nextMemory: number;
  nextEviction: number;
  verdict: Verdict;
  readonly duty: Duty;
}

export class Watchdog {
  readonly #parts: WatchdogParts;
  readonly #watched = new Map<GatewayProcess, Watched>();
  readonly #byName = new Map<string, Watched>();
  #timer: NodeJS.Timeout | undefined;
  #lookedAt = 0;

  constructor(parts: WatchdogParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#lookedAt = this.#parts.now();
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#watched.clear();
    this.#byName.clear();
  }

  add(gateway: GatewayProcess): void {
    const watched: Watched = {
      gateway,
      out: null,
      again: false,
      nextProbe: 0,
      nextMemory: 0,
      nextEviction: 0,
      verdict: "ok",
      duty: new Duty(),
    };
    this.#watched.set(gateway, watched);
    this.#byName.set(gateway.name, watched);
  }

  remove(gateway: GatewayProcess): void {
    this.#watched.delete(gateway);
    this.#byName.delete(gateway.name);
  }

  /** When the probe was sent that it has not answered yet; null: none is out. */
  silentSince(gateway: GatewayProcess): number | null {
    return this.#watched.get(gateway)?.out?.sentAt ?? null;
  }

  /** Whether it has kept everybody waiting for most of the last `ms`. */
  hogs(gateway: GatewayProcess, ms: number): boolean {
    return this.#watched.get(gateway)?.duty.hogs(ms, this.#parts.now()) ?? false;
  }

  /** Probes it now: something waits for the proof that it still turns. */
  hurry(gateway: GatewayProcess): void {
    const watched = this.#watched.get(gateway);
    if (watched === undefined) return;
    // One that is out already was sent before, and proves nothing.
    if (watched.out === null) this.#probe(watched);
    else watched.again = true;
  }

  /** A visitor's request was answered: whatever else waits in the process, its loop turns. */
  heard(name: string): void {
    const out = this.#byName.get(name)?.out;
    if (out) out.heard = true;
  }

  #look(): void {
    const now = this.#parts.now();
    // When this very process was kept from running, an answer may lie unread: nobody else is to blame for that.
    const blindMs = Math.max(0, now - this.#lookedAt - 2 * LOOK_MS);
    this.#lookedAt = now;
    for (const watched of this.#watched.values()) {
      if (watched.out !== null) watched.out.blindMs += blindMs;
      if (watched.out === null && now >= watched.nextProbe) this.#probe(watched);
      const isLate = watched.out !== null && now - watched.out.sentAt >= LOOK_MS;
      if (isLate || now >= watched.nextMemory) this.#judge(watched, now);
    }
  }

  #usage({ gateway }: Watched): ProcessUsage | null {
    return gateway.pid === undefined ? null : (this.#parts.usage ?? processUsage)(gateway.pid);
  }

  #judge(watched: Watched, now: number): void {
    const usage = this.#usage(watched);
    watched.nextMemory = now + MEMORY_INTERVAL_MS;
    const { out } = watched;
    if (out?.heard) {
      this.#heard(watched, out, usage, now);
      out.heard = false;
      out.silentSince = now;
      out.cpuMs = usage?.cpuMs ?? null;
      out.blindMs = 0;
    }
    const known = usage !== null && out !== null && out.cpuMs !== null;
    const verdict = judge(
      {
        probeMs: out === null ? null : now - out.silentSince,
        blindMs: out?.blindMs ?? 0,
        cpuMs: known ? usage.cpuMs - (out.cpuMs ?? 0) : null,
        rssBytes: usage?.rssBytes ?? null,
        hogged: watched.duty.hogs(HOG_WINDOW_MS, now),
      },
      this.#parts.limits,
    );
    const isNews = verdict !== watched.verdict;
    watched.verdict = verdict;
    const isGrave = verdict === "replace" || verdict === "hogged";
    const isDue = isGrave || (verdict === "evict" && now >= watched.nextEviction);
    if (!isNews && !isDue) return;
    if (verdict === "evict") watched.nextEviction = now + MEMORY_EVICTION_MS;
    this.#parts.onVerdict(watched.gateway, verdict);
  }

  /** The silence is over. After a long one the next probe goes at once: what may hold it up again must not be missed. */
  #heard(watched: Watched, probe: Probe, usage: ProcessUsage | null, now: number): void {
    const { silentSince: from, blindMs } = probe;
    const cpuMs = usage === null || probe.cpuMs === null ? null : usage.cpuMs - probe.cpuMs;
    if (watched.duty.silent({ from, to: now, blindMs, cpuMs })) watched.nextProbe = now;
  }

  #probe(watched: Watched): void {
    const { gateway } = watched;
    const sentAt = this.#parts.now();
    const probe: Probe = {
      sentAt,
      silentSince: sentAt,
      cpuMs: this.#usage(watched)?.cpuMs ?? null,
      blindMs: 0,
      heard: false,
    };
    watched.out = probe;
    void gateway.ask("GET", "/alive", PROBE_MS_MAX).then((answer) => {
      // Removed meanwhile, or the process is gone: its end is told by others.
      if (this.#watched.get(gateway) !== watched) return;
      watched.out = null;
      const now = this.#parts.now();
      watched.nextProbe = now + PROBE_INTERVAL_MS;
      if (answer?.status !== 204) return;
      if (now - probe.silentSince >= STALLED_MS)
        this.#heard(watched, probe, this.#usage(watched), now);
      if (watched.again) {
        watched.again = false;
        this.#probe(watched);
      }
      this.#judge(watched, now);
      this.#parts.onAlive(gateway, sentAt);
    });
  }
}

/** What becomes of a gateway by the watchdog's verdict. */
import type { Verdict } from "../domain/containment/watch.ts";
import { EVICT_ASK_MS_MAX, FULL_MEMORY_SOON_MS } from "../domain/limits.ts";
import type { Containment } from "./containment.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import type { Gateways } from "./gateways.ts";
import type { Log } from "./log.ts";
import type { HostCounters } from "./metrics/host-counters.ts";

export interface SentenceParts {
  readonly gateways: Gateways;
  readonly containment: Containment;
  readonly counters: HostCounters;
  readonly silentSince: (gateway: GatewayProcess) => number | null;
  readonly log: Log;
  readonly now: () => number;
}

export class Sentence {
  readonly #parts: SentenceParts;
  /** Gateways that have a successor because their memory was full. */
  readonly #full = new WeakSet<GatewayProcess>();

  constructor(parts: SentenceParts) {
    this.#parts = parts;
  }

  carryOut(gateway: GatewayProcess, verdict: Verdict): void {
    const { gateways, containment, counters, silentSince, now } = this.#parts;
    switch (verdict) {
      case "kill: blocked":
        counters.silent(gateway, silentSince(gateway) ?? now());
        return gateways.kill(gateway, "blocked");
      case "kill: memory":
        return gateways.kill(gateway, "memory");
      case "stalled":
        return containment.stalled(gateway, true);
      case "replace":
        this.#fullMemory(gateway);
        break;
      case "hogged":
        void gateways.replaceHogged(gateway);
        break;
      case "evict":
        void gateway.ask("POST", "/evict", EVICT_ASK_MS_MAX);
        break;
      case "ok":
        break;
    }
    containment.stalled(gateway, false);
  }

  /**
   * Versions that fill a new process within a short time will fill the next one too: then somebody is to blame, and
   * graceful replacing would go on for ever.
   */
  #fullMemory(gateway: GatewayProcess): void {
    const { gateways, containment, log, now } = this.#parts;
    const isSoon = now() - gateway.startedAt < FULL_MEMORY_SOON_MS;
    if (isSoon && gateway.kind === "quarantine") return gateways.kill(gateway, "memory");
    if (!this.#full.has(gateway)) {
      this.#full.add(gateway);
      const { name, kind } = gateway;
      log.event("warn", "gateway full", { gateway: name, kind });
      if (isSoon) containment.swollen(gateway);
    }
    void gateways.replace(gateway);
  }
}

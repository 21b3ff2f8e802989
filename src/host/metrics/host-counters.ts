/** What the supervisor itself counts of its processes: from 0, so that the first incident is an increase already. */
import type { StopReason } from "../../domain/breaker.ts";
import type { GatewayKind, GatewayProcess } from "../gateway-process.ts";
import { histogram, type Labels, type Sample } from "./exposition.ts";
import type { FamilyName } from "./families.ts";
import { countersAtZero } from "./gateway-report.ts";
import { RunningTotals } from "./running-totals.ts";

/** Upper bounds, in seconds: a gateway takes about 0.1 s to start, and 0.5 s of CPU time before it is taken for wedged. */
const RECOVERY_BOUNDS = [0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10, 30];

/** Whatever may be a label, though it has not happened yet. */
const KINDS = {
  pool: true,
  quarantine: true,
  trial: true,
  objects: true,
} as const satisfies Record<GatewayKind, true>;
const REASONS = { blocked: true, crashed: true, memory: true } as const satisfies Record<
  StopReason,
  true
>;
export const GATEWAY_KINDS = Object.keys(KINDS) as readonly GatewayKind[];
const STOP_REASONS = Object.keys(REASONS) as readonly StopReason[];

type Gateway = Pick<GatewayProcess, "name" | "kind">;

interface Recoveries {
  readonly counts: number[];
  sum: number;
}

export class HostCounters {
  readonly #counters = new Map<string, { name: FamilyName; labels: Labels; value: number }>();
  readonly #recoveries: ReadonlyMap<StopReason, Recoveries> = new Map(
    STOP_REASONS.map((cause) => [cause, { counts: [...RECOVERY_BOUNDS.map(() => 0), 0], sum: 0 }]),
  );
  /** When the first sign of its loss was seen, by gateway, in milliseconds. */
  readonly #signs = new WeakMap<object, number>();
  readonly #causes = new WeakMap<object, StopReason>();
  /** What gateways and control processes have counted, those that are gone too. */
  readonly totals = new RunningTotals();

  constructor() {
    for (const kind of GATEWAY_KINDS) {
      this.#add("switchback_gateway_starts_total", { kind }, 0);
      for (const cause of STOP_REASONS) {
        this.#add("switchback_gateway_losses_total", { kind, cause }, 0);
      }
      this.totals.take(kind, countersAtZero(kind));
      this.totals.forget(kind);
    }
    for (const reason of STOP_REASONS) {
      this.#add("switchback_versions_stopped_total", { reason }, 0);
    }
    this.#add("switchback_log_lines_suppressed_total", {}, 0);
  }

  gatewayStarted(kind: GatewayKind): void {
    this.#add("switchback_gateway_starts_total", { kind });
  }

  /** It is about to be killed: it has been silent since then. */
  silent(gateway: Gateway, since: number): void {
    this.#signs.set(gateway, since);
  }

  gatewayLost(gateway: Gateway, cause: StopReason, now: number): void {
    this.#add("switchback_gateway_losses_total", { kind: gateway.kind, cause });
    this.#causes.set(gateway, cause);
    if (!this.#signs.has(gateway)) this.#signs.set(gateway, now);
  }

  /** Another gateway serves in the place of one that was lost. */
  replaced(lost: Gateway, now: number): void {
    const cause = this.#causes.get(lost);
    const ms = now - (this.#signs.get(lost) ?? now);
    if (cause === undefined) return;
    const recoveries = this.#recoveries.get(cause)!;
    const seconds = ms / 1_000;
    const at = RECOVERY_BOUNDS.findIndex((bound) => seconds <= bound);
    recoveries.counts[at < 0 ? RECOVERY_BOUNDS.length : at]!++;
    recoveries.sum += seconds;
  }

  versionStopped(reason: StopReason): void {
    this.#add("switchback_versions_stopped_total", { reason });
  }

  linesSuppressed(lines: number): void {
    this.#add("switchback_log_lines_suppressed_total", {}, lines);
  }

  get samples(): Sample[] {
    return [
      ...this.#counters.values(),
      ...Array.from(this.#recoveries, ([cause, { counts, sum }]) =>
        histogram(
          "switchback_recovery_seconds",
          { cause },
          { bounds: RECOVERY_BOUNDS, counts, sum },
        ),
      ).flat(),
      ...this.totals.samples,
    ];
  }

  #add(name: FamilyName, labels: Labels, by = 1): void {
    const key = [name, ...Object.values(labels)].join(" ");
    const counter = this.#counters.get(key) ?? { name, labels, value: 0 };
    this.#counters.set(key, counter);
    counter.value += by;
  }
}

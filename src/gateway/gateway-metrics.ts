import type { WorkerId } from "../domain/ids.ts";
import { METRICS_WORKERS_MAX } from "../domain/limits.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { GatewayErrorKind } from "./error-page.ts";

/** How a visitor's request ended: with an answer of its version, or with an error of the platform. */
export type RequestOutcome = "served" | GatewayErrorKind;

/** Counted since this gateway started. Plain data: it goes out as JSON. */
export interface GatewayReport {
  readonly counters: {
    /** Visitors' requests. An outcome that has not happened is absent. */
    readonly requests: Readonly<Partial<Record<RequestOutcome, number>>>;
    /** Answers of an isolated gateway: nobody could say whether their deployment was current. */
    readonly staleAnswers: number;
    /** Versions given to the runtime. */
    readonly loads: number;
    readonly loadFailures: number;
    readonly evictions: number;
    /** Relayed. */
    readonly webSockets: number;
    readonly leaseAsks: number;
    readonly ledgerReads: number;
  };
  readonly gauges: {
    readonly loadedVersions: number;
    /** Visitors' requests without a response head yet. */
    readonly inFlight: number;
    readonly webSockets: number;
    /** 1: it is to be replaced. */
    readonly draining: 0 | 1;
  };
  /** By Worker id; those beyond the first `METRICS_WORKERS_MAX` under "". */
  readonly workers: Readonly<Record<string, WorkerCounts>>;
  /** From a request's arrival to its response head, in milliseconds. */
  readonly durationMs: {
    /** Upper bounds, inclusive. */
    readonly bounds: readonly number[];
    /** One for each bound, not cumulative, and one for all that took longer. */
    readonly counts: readonly number[];
    readonly sum: number;
  };
}

export interface WorkerCounts {
  readonly requests: number;
  /** Of these, those that the platform answered with an error. */
  readonly errors: number;
}

const BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000] as const;
const REST = "";

/** On the path of every request: it only ever adds to numbers. */
export class GatewayMetrics {
  readonly #requests: Partial<Record<RequestOutcome, number>> = {};
  readonly #workers = new Map<string, { requests: number; errors: number }>();
  readonly #durations = Array.from({ length: BOUNDS_MS.length + 1 }, () => 0);
  #durationSum = 0;
  inFlight = 0;
  staleAnswers = 0;
  loads = 0;
  loadFailures = 0;
  evictions = 0;
  leaseAsks = 0;
  ledgerReads = 0;

  /** A request that is over; `workerId`: whose it was, if it was anybody's. */
  count(outcome: RequestOutcome, workerId: WorkerId | null, durationMs: number): void {
    this.#requests[outcome] = (this.#requests[outcome] ?? 0) + 1;
    this.#durationSum += durationMs;
    let bucket = 0;
    while (bucket < BOUNDS_MS.length && durationMs > BOUNDS_MS[bucket]!) bucket++;
    this.#durations[bucket]!++;
    if (workerId === null) return;
    const worker = this.#workers.get(workerId) ?? this.#newWorker(workerId);
    worker.requests++;
    if (outcome !== "served") worker.errors++;
  }

  report(now: Pick<GatewayReport["gauges"], "loadedVersions" | "draining"> & WebSocketCounts) {
    return {
      counters: {
        requests: { ...this.#requests },
        staleAnswers: this.staleAnswers,
        loads: this.loads,
        loadFailures: this.loadFailures,
        evictions: this.evictions,
        webSockets: now.webSocketsEver,
        leaseAsks: this.leaseAsks,
        ledgerReads: this.ledgerReads,
      },
      gauges: {
        loadedVersions: now.loadedVersions,
        inFlight: this.inFlight,
        webSockets: now.webSockets,
        draining: now.draining,
      },
      workers: Object.fromEntries(
        Array.from(this.#workers, ([workerId, counts]) => [workerId, { ...counts }]),
      ),
      durationMs: { bounds: BOUNDS_MS, counts: [...this.#durations], sum: this.#durationSum },
    } satisfies GatewayReport;
  }

  #newWorker(workerId: WorkerId): { requests: number; errors: number } {
    const key = this.#workers.size < METRICS_WORKERS_MAX ? workerId : REST;
    const known = this.#workers.get(key);
    if (known !== undefined) return known;
    const made = { requests: 0, errors: 0 };
    this.#workers.set(key, made);
    return made;
  }
}

interface WebSocketCounts {
  readonly webSockets: number;
  readonly webSocketsEver: number;
}

/** The control plane, with what it is asked counted. */
export const countAsks = (controlPlane: ControlPlane, metrics: GatewayMetrics): ControlPlane => ({
  leaseDeployment(workerId) {
    metrics.leaseAsks++;
    return controlPlane.leaseDeployment(workerId);
  },
  leaseRouting(knownSeq) {
    metrics.leaseAsks++;
    return controlPlane.leaseRouting(knownSeq);
  },
  ledgerDeployment(workerId) {
    metrics.ledgerReads++;
    return controlPlane.ledgerDeployment(workerId);
  },
  ledgerRouting() {
    metrics.ledgerReads++;
    return controlPlane.ledgerRouting();
  },
  previewVersion: (workerId, label) => controlPlane.previewVersion(workerId, label),
  version: (workerId, versionId) => controlPlane.version(workerId, versionId),
  assets: (workerId, versionId) => controlPlane.assets(workerId, versionId),
  assetFallbacks: (workerId, versionId) => controlPlane.assetFallbacks(workerId, versionId),
  assetBytes: (sha256, part) => controlPlane.assetBytes(sha256, part),
  tailEvents: (workerId, batch) => controlPlane.tailEvents(workerId, batch),
});

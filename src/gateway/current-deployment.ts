import type { CurrentDeployment } from "../domain/deployment.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import { DEFAULT_ISOLATION, UNHEARD_ISOLATION } from "../domain/lease-settings.ts";
import { CATCH_UP_ASKS_MAX, HELD_REGISTERS_MAX } from "../domain/limits.ts";
import { buildRouteIndex, type Routing } from "../domain/routing.ts";
import type { ControlPlane } from "./control-plane.ts";
import { ControlPlaneUnavailable } from "./gateway-errors.ts";
import { HeldRegister, type Reading, type ReadPath, type RegisterSource } from "./held-register.ts";
import { HolderClock, schedulerWait, type Wait } from "./holder-clock.ts";
import type { StoppedVersions } from "./stopped-versions.ts";
import type { GivenClasses } from "./given-classes.ts";
import type { TailedWorkers } from "./tailed-workers.ts";

/** What a request found, and how far it may be trusted to be current. */
export interface Resolved<T> {
  readonly target: T;
  /** null: there is no Worker, or it has no deployment. */
  readonly deployment: CurrentDeployment | null;
  /** The weaker of the two readings. */
  readonly via: ReadPath;
  readonly staleMs: number;
}

export interface Upcoming {
  readonly workerId: WorkerId;
  readonly versionId: VersionId;
}

const NONE: readonly Upcoming[] = [];
const NONE_UPCOMING: readonly VersionId[] = [];

/** What a request can be followed by: work that goes on after its answer. */
export interface ReadScope {
  waitUntil(work: Promise<unknown>): void;
}

/**
 * The one place that decides whether what the gateway knows is current. It holds the route table and each
 * Worker's current deployment under leases: with warm leases a request makes no call at all.
 */
export class CurrentDeployments {
  readonly #controlPlane: ControlPlane;
  readonly #clock: HolderClock;
  readonly #stopped: StoppedVersions;
  readonly #tailed: TailedWorkers | null;
  readonly #given: GivenClasses | null;
  readonly #routing: HeldRegister<Routing>;
  readonly #workers = new Map<WorkerId, HeldRegister<CurrentDeployment | null>>();
  /** Versions that may become visible soon, and that nobody has been told of yet. */
  #upcoming: Upcoming[] = [];

  constructor(options: {
    readonly controlPlane: ControlPlane;
    /** Told what lease answers say is stopped. */
    readonly stopped: StoppedVersions;
    /** Told what lease answers say is tailed. */
    readonly tailed?: TailedWorkers;
    /** Told what lease answers say has gone to other Workers. */
    readonly given?: GivenClasses;
    readonly workersDomain: string;
    /** Milliseconds since 1970. */
    readonly now: () => number;
    readonly wait?: Wait;
  }) {
    const { controlPlane, workersDomain } = options;
    this.#controlPlane = controlPlane;
    this.#stopped = options.stopped;
    this.#tailed = options.tailed ?? null;
    this.#given = options.given ?? null;
    this.#clock = new HolderClock(options.now, options.wait ?? schedulerWait);
    this.#routing = new HeldRegister<Routing>(
      {
        question: "the route table",
        policy: DEFAULT_ISOLATION,
        async lease(knownSeq) {
          const { grant, seq, table } = await controlPlane.leaseRouting(knownSeq);
          return table === undefined
            ? { grant, seq }
            : { grant, seq, value: buildRouteIndex(table, workersDomain) };
        },
        async ledger() {
          const read = await controlPlane.ledgerRouting();
          if (read === "undecided") return read;
          return { seq: read.seq, value: buildRouteIndex(read.table, workersDomain) };
        },
      },
      this.#clock,
    );
  }

  /** The newest route table seen, whatever has happened since; null before the first. Not for serving. */
  lastSeenRouting(): Routing | null {
    return this.#routing.lastSeen;
  }

  /** Of the Worker's newest deployment seen; 0: it had none; null: it was never asked for. */
  lastSeenSeq(workerId: WorkerId): number | null {
    return this.#workers.get(workerId)?.lastSeenSeq ?? null;
  }

  /** Learns what is current of everything held, while the control plane can still say so. Never rejects. */
  async catchUp(scope: ReadScope): Promise<void> {
    const defer = (work: Promise<unknown>) => scope.waitUntil(work);
    const held = [this.#routing, ...this.#workers.values()];
    while (held.length > 0) {
      const some = held.splice(0, CATCH_UP_ASKS_MAX);
      await Promise.allSettled(some.map((register) => register.read(defer)));
    }
  }

  async currentRouting(scope: ReadScope): Promise<Routing> {
    return (await this.#routing.read((work) => scope.waitUntil(work))).value;
  }

  /** Versions to load now, so that the first request that is routed to them does not wait. Each is told once. */
  takeUpcoming(): readonly Upcoming[] {
    if (this.#upcoming.length === 0) return NONE;
    return this.#upcoming.splice(0);
  }

  /** `resolve`, as far as memory goes: null when a lock has to be asked. */
  peek<T>(
    scope: ReadScope,
    find: (routing: Routing) => T,
    workerOf: (target: T) => WorkerId | null,
  ): Resolved<T> | null {
    const defer = (work: Promise<unknown>) => scope.waitUntil(work);
    const routing = this.#routing.peek(defer);
    if (routing === null) return null;
    const target = find(routing.value);
    const workerId = workerOf(target);
    if (workerId === null) return { target, deployment: null, via: "lease", staleMs: 0 };
    const deployment = this.#workers.get(workerId)?.peek(defer);
    return deployment ? { target, deployment: deployment.value, via: "lease", staleMs: 0 } : null;
  }

  /**
   * Finds a target in the route table and the current deployment of its Worker. Both are asked for at once
   * when the table in memory already names the Worker.
   */
  async resolve<T>(
    scope: ReadScope,
    find: (routing: Routing) => T,
    workerOf: (target: T) => WorkerId | null,
  ): Promise<Resolved<T>> {
    const defer = (work: Promise<unknown>) => scope.waitUntil(work);
    const held = this.#routing.peek(defer);
    let guess: Promise<Reading<CurrentDeployment | null>> | null = null;
    let guessed: WorkerId | null = null;
    if (held === null && this.#routing.lastSeen !== null) {
      guessed = workerOf(find(this.#routing.lastSeen));
      guess = guessed === null ? null : this.#worker(guessed).read(defer);
      // If the table cannot be had, or has moved, nobody awaits the guess: its failure is no event.
      guess?.catch(() => {});
    }
    const routing = held ?? (await this.#routing.read(defer));
    const target = find(routing.value);
    const workerId = workerOf(target);
    if (workerId === null) {
      return { target, deployment: null, via: routing.via, staleMs: routing.staleMs };
    }
    const worker = this.#worker(workerId);
    const deployment =
      guess !== null && guessed === workerId
        ? await guess
        : (worker.peek(defer) ?? (await worker.read(defer)));
    if (routing.via === "last-known" && !worker.mayBeStale(routing.staleMs)) {
      throw new ControlPlaneUnavailable(
        "the route table",
        "its Worker is not served by an old one",
      );
    }
    const weaker = rank(deployment.via) > rank(routing.via) ? deployment : routing;
    const { via, staleMs } = weaker;
    return { target, deployment: deployment.value, via, staleMs };
  }

  /** {@link readWorker}, as far as memory goes. */
  peekWorker(scope: ReadScope, workerId: WorkerId): Reading<CurrentDeployment | null> | null {
    return this.#workers.get(workerId)?.peek((work) => scope.waitUntil(work)) ?? null;
  }

  /** The current deployment of a Worker, whatever the route table says of it; null when it has none. */
  readWorker(scope: ReadScope, workerId: WorkerId): Promise<Reading<CurrentDeployment | null>> {
    return this.#worker(workerId).read((work) => scope.waitUntil(work));
  }

  #worker(workerId: WorkerId): HeldRegister<CurrentDeployment | null> {
    const known = this.#workers.get(workerId);
    if (known !== undefined) return known;
    const made = new HeldRegister<CurrentDeployment | null>(this.#sourceOf(workerId), this.#clock);
    // A Worker that is asked for again is simply held anew, so the oldest may go.
    const oldest =
      this.#workers.size >= HELD_REGISTERS_MAX ? this.#workers.keys().next().value : undefined;
    if (oldest !== undefined) {
      this.#workers.delete(oldest);
      this.#stopped.forget(oldest);
      this.#tailed?.hear(oldest, false);
      this.#given?.forget(oldest);
    }
    this.#workers.set(workerId, made);
    return made;
  }

  #sourceOf(workerId: WorkerId): RegisterSource<CurrentDeployment | null> {
    const controlPlane = this.#controlPlane;
    let told = NONE_UPCOMING;
    let asked = 0;
    let heard = 0;
    return {
      question: "the current deployment",
      // The ledger does not know it, and an operator who chose to refuse must not be overruled.
      policy: UNHEARD_ISOLATION,
      lease: async () => {
        const question = ++asked;
        const answer = await controlPlane.leaseDeployment(workerId);
        const { grant, current, upcoming, settings, stopped } = answer;
        // A lock that is being replaced, or an answer that was overtaken, may not know what others say already.
        if (grant.kind !== "refuse" && question > heard) {
          heard = question;
          this.#stopped.hear(workerId, current?.seq ?? 0, stopped);
          this.#tailed?.hear(workerId, answer.tailed);
          this.#given?.hear(workerId, answer.given);
        }
        for (const versionId of upcoming) {
          if (!told.includes(versionId)) this.#upcoming.push({ workerId, versionId });
        }
        told = upcoming;
        return { grant, seq: current?.seq ?? 0, value: current, policy: settings };
      },
      ledger: async () => {
        const read = await controlPlane.ledgerDeployment(workerId);
        if (read === "undecided") return read;
        return { seq: read.current?.seq ?? 0, value: read.current };
      },
    };
  }
}

const PATHS: readonly ReadPath[] = ["lease", "ask", "ledger", "last-known"];
const rank = (via: ReadPath): number => PATHS.indexOf(via);

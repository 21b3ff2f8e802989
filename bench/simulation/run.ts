/** One run: isolates of one Worker under load while deployments go on, and what was seen. */
import type { LeaseTerms } from "../../src/domain/lease.ts";
import { AUTHORITY_LEASES_MIN, LEASE_MARGIN_MS } from "../../src/domain/limits.ts";
import { HeldRegister, type HeardAnswer } from "../../src/gateway/held-register.ts";
import { HolderClock } from "../../src/gateway/holder-clock.ts";
import { DriftingClock } from "./drifting-clock.ts";
import { Latencies } from "./latencies.ts";
import { Network } from "./network.ts";
import { OneServer } from "./one-server.ts";
import { Random } from "./random.ts";
import { Replica } from "./replica.ts";
import { SimulatedLock } from "./simulated-lock.ts";
import { VirtualTime } from "./virtual-time.ts";

export interface Scenario {
  readonly isolates: number;
  /** Requests per second that each isolate gets. */
  readonly rate: number;
  readonly leaseMs: number;
  /** How far clocks are off at most, and what the lock allows for. */
  readonly driftPermille: number;
  readonly seconds: number;
  readonly seed: number;
  /** Lease of the planned replica objects, milliseconds; null: isolates ask the lock itself. */
  readonly replicaLeaseMs: number | null;
  readonly deployments: boolean;
  /** Rules broken on purpose: a simulation that does not show these proves nothing. */
  readonly broken: "clocks are trusted" | "children are not cut" | null;
}

export interface Outcome {
  readonly acknowledgement: Latencies;
  /** Deployments whose caller could not be told that they are visible. */
  readonly unacknowledged: number;
  readonly requests: number;
  /** Added to each answered request, while no deployment is under way. */
  readonly atRest: Latencies;
  /** The same from the beginning of a deployment until shortly after its end. */
  readonly changing: Latencies;
  readonly refused: number;
  /** Answered by what is older than what was visible when the request came. */
  readonly stale: number;
  /** Answered by what is older than some earlier answer, anywhere. */
  readonly stepsBack: number;
  readonly lockCallsPerSecond: number;
  readonly turnedAwayPerSecond: number;
  readonly viaLedger: number;
  readonly replicas: number;
  readonly replicaCallsPerSecond: number;
}

/** Isolates of one location that share a replica. */
const ISOLATES_PER_REPLICA = 250;
/** Until then everybody asks for the first time; nothing is counted but violations. Milliseconds. */
const WARM_UP_MS = 3_000;
/** Between the end of a deployment and the next one, milliseconds. */
const PAUSE_MS = [1_000, 3_000] as const;

/** For so long after its end, requests count as those of a deployment, milliseconds. */
const AFTERMATH_MS = 500;

type AskLock = (hear: (heard: HeardAnswer<number> | Error) => void) => void;

export async function run(scenario: Scenario): Promise<Outcome> {
  const run = new Run(scenario);
  return await run.finish();
}

class Run {
  readonly #scenario: Scenario;
  readonly #time = new VirtualTime();
  readonly #random: Random;
  readonly #network: Network;
  readonly #lock: SimulatedLock;
  readonly #lockClock: DriftingClock;
  readonly #terms: LeaseTerms;
  readonly #replicas: OneServer[] = [];
  readonly #uninstall: () => void;
  #acknowledgement = new Latencies();
  #unacknowledged = 0;
  #atRest = new Latencies();
  #changing = new Latencies();
  #changingUntil = 0;
  #requests = 0;
  #refused = 0;
  #viaLedger = 0;
  #stale = 0;
  #stepsBack = 0;
  /** The newest that any answer came from. */
  #seen = 0;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#random = new Random(scenario.seed);
    this.#network = new Network(this.#time, this.#random);
    this.#lockClock = new DriftingClock(this.#time, this.#random, scenario.driftPermille);
    this.#uninstall = this.#time.install(() => this.#lockClock.now());
    const trusting = scenario.broken === "clocks are trusted";
    const leaseMs = scenario.replicaLeaseMs ?? scenario.leaseMs;
    this.#terms = {
      leaseMs,
      authorityMs: leaseMs * AUTHORITY_LEASES_MIN,
      driftPermille: trusting ? 0 : scenario.driftPermille,
      marginMs: LEASE_MARGIN_MS,
    };
    this.#lock = new SimulatedLock(this.#time, this.#random, this.#terms);
    this.#populate();
    if (scenario.deployments) this.#time.after(1_000, () => void this.#deployForever());
  }

  async finish(): Promise<Outcome> {
    try {
      await this.#time.run(WARM_UP_MS);
      const calls = this.#lock.server.calls;
      const turnedAway = this.#lock.server.turnedAway;
      const replicaCalls = this.#replicaCalls();
      this.#atRest = new Latencies();
      this.#changing = new Latencies();
      this.#acknowledgement = new Latencies();
      this.#requests = this.#refused = this.#viaLedger = this.#unacknowledged = 0;
      await this.#time.run(this.#scenario.seconds * 1_000);
      const seconds = this.#scenario.seconds - WARM_UP_MS / 1_000;
      return {
        acknowledgement: this.#acknowledgement,
        unacknowledged: this.#unacknowledged,
        requests: this.#requests,
        atRest: this.#atRest,
        changing: this.#changing,
        refused: this.#refused,
        stale: this.#stale,
        stepsBack: this.#stepsBack,
        lockCallsPerSecond: (this.#lock.server.calls - calls) / seconds,
        turnedAwayPerSecond: (this.#lock.server.turnedAway - turnedAway) / seconds,
        viaLedger: this.#viaLedger,
        replicas: this.#replicas.length,
        replicaCallsPerSecond: (this.#replicaCalls() - replicaCalls) / seconds,
      };
    } finally {
      this.#uninstall();
    }
  }

  #replicaCalls(): number {
    return this.#replicas.reduce((sum, server) => sum + server.calls, 0);
  }

  #populate(): void {
    const around = new Map<number, { ask: AskLock; isolates: number }>();
    for (const location of this.#network.place(this.#scenario.isolates)) {
      let ask = this.#askFrom(location);
      if (this.#scenario.replicaLeaseMs !== null) {
        let group = around.get(location);
        if (group === undefined || group.isolates === ISOLATES_PER_REPLICA) {
          group = { ask: this.#replicaFor(ask, this.#scenario.replicaLeaseMs), isolates: 0 };
          around.set(location, group);
        }
        group.isolates += 1;
        ask = group.ask;
      }
      this.#isolate(location, ask);
    }
  }

  /** There, its turn, and back. */
  #askFrom(location: number): AskLock {
    return (hear) =>
      this.#network.far(location, () =>
        this.#lock.lease((heard) => this.#network.far(location, () => hear(heard))),
      );
  }

  #replicaFor(askLock: AskLock, leaseMs: number): AskLock {
    const replica = new Replica({
      time: this.#time,
      clock: new DriftingClock(this.#time, this.#random, this.#scenario.driftPermille),
      terms: { ...this.#terms, leaseMs: this.#scenario.leaseMs },
      leaseMs,
      askLock,
      cuts: this.#scenario.broken !== "children are not cut",
    });
    const server = new OneServer(this.#time);
    this.#replicas.push(server);
    return (hear) =>
      this.#network.near(() => {
        const back = (heard: HeardAnswer<number> | Error) => this.#network.near(() => hear(heard));
        if (!server.enter(() => replica.lease(back))) back(new Error("replica: overloaded"));
      });
  }

  #isolate(location: number, ask: AskLock): void {
    const clock = new DriftingClock(this.#time, this.#random, this.#scenario.driftPermille);
    const register = new HeldRegister<number>(
      {
        question: "the current deployment",
        // Nobody is served anything that is not known to be current.
        policy: { onIsolation: "refuse", staleMsMax: 0 },
        lease: () => answered(ask),
        ledger: () =>
          answered((hear) =>
            this.#network.far(location, () =>
              this.#lock.readLedger((read) => this.#network.far(location, () => hear(read))),
            ),
          ),
      },
      new HolderClock(
        () => clock.now(),
        (ms, signal) => this.#time.wait(ms, signal),
      ),
    );
    const gap = 1_000 / this.#scenario.rate;
    const arrive = () => {
      this.#request(register);
      this.#time.after(this.#random.exponential(gap), arrive, false);
    };
    this.#time.after(this.#random.exponential(gap), arrive, false);
  }

  #request(register: HeldRegister<number>): void {
    this.#requests += 1;
    const arrived = this.#time.now;
    const least = { visible: this.#lock.visibleSeq, seen: this.#seen };
    const held = register.peek(undefer);
    if (held !== null) return this.#answered(arrived, held.value, least);
    register.read(undefer).then(
      ({ value, via }) => {
        if (via === "last-known") this.#refused += 1;
        else {
          if (via === "ledger") this.#viaLedger += 1;
          this.#answered(arrived, value, least);
        }
      },
      () => void (this.#refused += 1),
    );
  }

  #answered(arrived: number, seq: number, least: { visible: number; seen: number }): void {
    const latencies = arrived < this.#changingUntil ? this.#changing : this.#atRest;
    latencies.add(this.#time.now - arrived);
    if (seq < least.visible) this.#stale += 1;
    if (seq < least.seen) this.#stepsBack += 1;
    this.#seen = Math.max(this.#seen, seq);
  }

  async #deployForever(): Promise<never> {
    for (let deployment = 1; ; deployment++) {
      this.#lockClock.changeRate(this.#random, this.#scenario.driftPermille);
      const asked = this.#time.now;
      this.#changingUntil = Infinity;
      if (await this.#lock.deploy(`deployment ${deployment}`)) {
        this.#acknowledgement.add(this.#time.now - asked);
      } else this.#unacknowledged += 1;
      this.#changingUntil = this.#time.now + AFTERMATH_MS;
      await this.#time.wait(this.#random.between(...PAUSE_MS));
    }
  }
}

const undefer = (): void => {};

/** May never settle: messages get lost. */
function answered<T>(call: (hear: (heard: T | Error) => void) => void): Promise<T> {
  return new Promise((resolve, reject) =>
    call((heard) => (heard instanceof Error ? reject(heard) : resolve(heard))),
  );
}

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boot, grant, isDrained, type Granter, type LeaseTerms } from "../../src/domain/lease.ts";
import { type HeardAnswer, HeldRegister, type ReadPath } from "../../src/gateway/held-register.ts";
import { HolderClock } from "../../src/gateway/holder-clock.ts";
import { settle, VirtualTime } from "./virtual-time.ts";

/**
 * The guarantee itself, over the real granter and the real holder: every request is routed by a value that the
 * register had at some instant between the request's arrival and its answer. Messages are lost, late and out of
 * order, lock and ledger fail, clocks run fast or slow and are set back, and requests never hang.
 */
const TERMS: LeaseTerms = { leaseMs: 200, authorityMs: 1e9, driftPermille: 100, marginMs: 3 };
const FAILURES = [{}, { retryable: true }, { overloaded: true }];

const step = fc.oneof(
  { weight: 8, arbitrary: fc.constant({ do: "read" } as const) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.nat(120) }) },
  // To the lock or the ledger, and back from it.
  { weight: 8, arbitrary: fc.record({ do: fc.constant("reach" as const), pick: fc.nat(9) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant("return" as const), pick: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("lose" as const), pick: fc.nat(9) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("fail" as const), pick: fc.nat(9), how: fc.nat(2) }),
  },
  { weight: 2, arbitrary: fc.constant({ do: "deploy" } as const) },
  { weight: 4, arbitrary: fc.constant({ do: "flip" } as const) },
  { weight: 2, arbitrary: fc.constant({ do: "tell the ledger" } as const) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("set back" as const), ms: fc.nat({ max: 300 }) }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Message {
  answer: (() => void) | null;
  readonly reach: () => () => void;
  readonly fail: (error: Error) => void;
}

class World {
  readonly time = new VirtualTime();
  readonly paths: Record<ReadPath, number> = { lease: 0, ask: 0, ledger: 0, "last-known": 0 };
  readonly violations: string[] = [];
  openReads = 0;
  readonly #messages: Message[] = [];
  readonly #clock: HolderClock;
  readonly #register: HeldRegister<number>;
  #granter: Granter;
  #visible = 0;
  #pending = false;
  #settled = 0;
  #setBackMs = 0;

  constructor(rate: number) {
    const { time } = this;
    this.#granter = boot(TERMS, time.now, null);
    this.#granter = { ...this.#granter, authorityUntil: Infinity };
    this.#clock = new HolderClock(() => time.now * rate - this.#setBackMs, time.wait);
    this.#register = new HeldRegister<number>(
      {
        question: "the value",
        policy: { onIsolation: "refuse", staleMsMax: 0 },
        lease: (knownSeq) => this.#send(() => this.#grant(knownSeq)),
        ledger: () =>
          this.#send(() => {
            const decided = !this.#pending && this.#settled === this.#visible;
            return decided ? { seq: this.#visible, value: this.#visible } : "undecided";
          }),
      },
      this.#clock,
    );
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "read":
        this.#read();
        break;
      case "pass":
        await this.time.pass(step.ms);
        break;
      case "reach": {
        const message = this.#waiting(step.pick, (one) => one.answer === null);
        if (message) message.answer = message.reach();
        break;
      }
      case "return": {
        const message = this.#waiting(step.pick, (one) => one.answer !== null);
        if (message) this.#forget(message).answer?.();
        break;
      }
      case "lose": {
        const message = this.#waiting(step.pick, () => true);
        if (message) this.#forget(message);
        break;
      }
      case "fail": {
        const message = this.#waiting(step.pick, () => true);
        if (message)
          this.#forget(message).fail(Object.assign(new Error("down"), FAILURES[step.how]));
        break;
      }
      case "deploy":
        this.#pending = true;
        break;
      case "flip":
        if (this.#pending && isDrained(this.#granter, this.time.now)) {
          this.#pending = false;
          this.#visible++;
        }
        break;
      case "tell the ledger":
        this.#settled = this.#visible;
        break;
      case "set back":
        // A step is seen by the readings on its two sides.
        this.#clock.now();
        this.#setBackMs += step.ms;
        this.#clock.now();
    }
    await settle();
  }

  #read(): void {
    const arrived = this.#visible;
    this.openReads++;
    const ended = () => void this.openReads--;
    const checked = this.#register
      .read(() => undefined)
      .then(({ value, via }) => {
        this.paths[via]++;
        if (value < arrived || value > this.#visible) {
          this.violations.push(`${via}: ${value}, not in ${arrived} to ${this.#visible}`);
        }
      });
    checked.then(ended, ended);
  }

  #grant(knownSeq: number): HeardAnswer<number> {
    const seq = this.#visible;
    const given = grant(TERMS, this.#granter, { seq, pending: this.#pending }, this.time.now);
    this.#granter = given.granter;
    return { grant: given.grant, seq, ...(seq === knownSeq ? {} : { value: seq }) };
  }

  #send<T>(answer: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const reach = () => {
        const said = answer();
        return () => resolve(said);
      };
      this.#messages.push({ answer: null, reach, fail: reject });
    });
  }

  #waiting(pick: number, which: (message: Message) => boolean): Message | undefined {
    const some = this.#messages.filter(which);
    return some[pick % some.length];
  }

  #forget(message: Message): Message {
    this.#messages.splice(this.#messages.indexOf(message), 1);
    return message;
  }
}

describe("reads of a held register", () => {
  it("are linearizable, and each of them ends", async () => {
    const seen: Record<ReadPath, number> = { lease: 0, ask: 0, ledger: 0, "last-known": 0 };
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(0.92, 1, 1.08),
        fc.array(step, { minLength: 30, maxLength: 120, size: "max" }),
        async (rate, steps) => {
          const world = new World(rate);
          for (const one of steps) await world.take(one);
          // Nothing is answered any more, and still every request ends.
          await world.time.pass(60_000);
          expect([world.violations, world.openReads]).toEqual([[], 0]);
          for (const via of Object.keys(seen) as ReadPath[]) seen[via] += world.paths[via];
        },
      ),
      { numRuns: 400 },
    );
    expect(Math.min(seen.lease, seen.ask, seen.ledger)).toBeGreaterThan(100);
    expect(seen["last-known"]).toBe(0);
  });
});

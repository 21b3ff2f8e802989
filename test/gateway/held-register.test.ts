import { describe, expect, it } from "vitest";
import { DEFAULT_ISOLATION, type IsolationPolicy } from "../../src/domain/lease-settings.ts";
import {
  ASK_MS_MAX,
  ASKS_UNDER_WAY_MAX,
  CONTROL_PLANE_TRIES_MAX,
  LEDGER_READS_UNDER_WAY_MAX,
  SHARED_ASK_MS_MAX,
  STALE_MS_DEFAULT,
} from "../../src/domain/limits.ts";
import { ControlPlaneUnavailable } from "../../src/gateway/gateway-errors.ts";
import { type HeardAnswer, HeldRegister, type Reading } from "../../src/gateway/held-register.ts";
import { HolderClock } from "../../src/gateway/holder-clock.ts";
import { settle, VirtualTime } from "./virtual-time.ts";

const LEASE_MS = 1_000;
const REFUSE: IsolationPolicy = { onIsolation: "refuse", staleMsMax: 0 };
const RETRYABLE = Object.assign(new Error("moved"), { retryable: true });
const OVERLOADED = Object.assign(new Error("busy"), { overloaded: true, retryable: true });

type LedgerRead = { readonly seq: number; readonly value: string } | "undecided";

/** A register whose lock's answers are given by hand, in any order; the value of change n is `v<n>`. */
function setUp(policy: IsolationPolicy = DEFAULT_ISOLATION) {
  const time = new VirtualTime();
  const set = { backMs: 0 };
  /** The questions that the lock has been asked, as the answers to give. */
  const asked: { knownSeq: number; serve: Serve; refuse: () => void; fail: Fail }[] = [];
  const ledger = { asked: 0, read: async (): Promise<LedgerRead> => Promise.reject(DOWN) };
  const work: Promise<unknown>[] = [];
  const clock = new HolderClock(() => time.now - set.backMs, time.wait);
  const source = {
    question: "the value",
    policy,
    lease: (knownSeq: number) =>
      new Promise<HeardAnswer<string>>((resolve, reject) => {
        asked.push({
          knownSeq,
          serve: (seq, leaseMs = LEASE_MS) =>
            resolve({ grant: { kind: "serve", seq, leaseMs }, seq, value: `v${seq}` }),
          refuse: () => resolve({ grant: { kind: "refuse" }, seq: 99, value: "v99" }),
          fail: reject,
        });
      }),
    ledger: () => {
      ledger.asked++;
      return ledger.read();
    },
  };
  const register = new HeldRegister<string>(source, clock);
  const defer = (promise: Promise<unknown>) => void work.push(promise);
  const peek = () => register.peek(defer);
  /** Begins a read; `outcome` is there once it has ended. */
  const begin = () => {
    const begun: { outcome?: Reading<string> | Error } = {};
    register.read(defer).then(
      (reading) => (begun.outcome = reading),
      (error: Error) => (begun.outcome = error),
    );
    return begun;
  };
  /** Reads, with the lock answering at once. */
  const readFresh = async (seq: number, leaseMs = LEASE_MS) => {
    const begun = begin();
    asked.at(-1)!.serve(seq, leaseMs);
    await settle();
    return begun.outcome;
  };
  /** A read during which the lock answers every question with `error`. */
  const readFailing = async (error: Error) => {
    const begun = begin();
    for (let at = asked.length - 1; begun.outcome === undefined; at++) {
      asked[at]?.fail(error);
      await time.pass(SHARED_ASK_MS_MAX);
    }
    return begun.outcome;
  };
  return { time, set, asked, ledger, work, source, register, peek, begin, readFresh, readFailing };
}
type Serve = (seq: number, leaseMs?: number) => void;
type Fail = (error: Error) => void;
const DOWN = new Error("down");

const by = (via: string, seq: number, staleMs = 0) => ({ value: `v${seq}`, via, staleMs });

describe("a lease", () => {
  it("is served from memory, without a question, until it is over", async () => {
    const { time, asked, begin, readFresh } = setUp();
    expect(await readFresh(1)).toEqual(by("ask", 1));
    await time.pass(LEASE_MS / 2);
    const second = begin();
    await settle();
    expect(second.outcome).toEqual(by("lease", 1));
    expect(asked.length).toBe(1);
  });

  it("is asked for anew once it is over, and nothing is served before the answer", async () => {
    const { time, asked, begin, readFresh } = setUp();
    await readFresh(1);
    await time.pass(LEASE_MS);
    const next = begin();
    await settle();
    expect([next.outcome, asked.length, asked[1]!.knownSeq]).toEqual([undefined, 2, 1]);
    asked[1]!.serve(2);
    await settle();
    expect(next.outcome).toEqual(by("ask", 2));
  });

  it("counts from before the question: a slow answer is a shorter lease", async () => {
    const { time, asked, begin, peek } = setUp();
    begin();
    await time.pass(300);
    asked[0]!.serve(1);
    await time.pass(LEASE_MS - 301);
    expect(peek()).toEqual(by("lease", 1));
    await time.pass(1);
    expect(peek()).toBeNull();
  });

  it("is over before it has come when the answer takes as long as it lives", async () => {
    const { time, asked, begin, peek } = setUp();
    const request = begin();
    await time.pass(LEASE_MS);
    asked[0]!.serve(1);
    await settle();
    expect([request.outcome, peek()]).toEqual([by("ask", 1), null]);
  });

  it("is renewed behind an answer once half of it is gone, by one question at a time", async () => {
    const { time, asked, work, peek, readFresh } = setUp();
    await readFresh(1);
    work.length = 0;
    await time.pass(LEASE_MS / 2);
    peek();
    expect(asked.length).toBe(1);
    await time.pass(1);
    expect([peek(), peek()]).toEqual([by("lease", 1), by("lease", 1)]);
    expect([asked.length, work.length]).toEqual([2, 1]);
    asked[1]!.serve(1);
    await Promise.all(work);
    await time.pass(LEASE_MS / 2);
    expect(peek()).toEqual(by("lease", 1));
    expect(asked.length).toBe(2);
  });

  it("outlives a renewal that fails", async () => {
    const { time, asked, work, peek, readFresh } = setUp();
    await readFresh(1);
    await time.pass(LEASE_MS - 1);
    peek();
    asked[1]!.fail(DOWN);
    await Promise.all(work);
    expect(peek()).toEqual(by("lease", 1));
  });

  it("is not given by an answer for one request alone", async () => {
    const { peek, readFresh } = setUp();
    expect(await readFresh(1, 0)).toEqual(by("ask", 1));
    expect(peek()).toBeNull();
  });
});

describe("many requests at once", () => {
  it("ask once, and share the lease", async () => {
    const { asked, begin } = setUp();
    const requests = Array.from({ length: 20 }, begin);
    await settle();
    expect(asked.length).toBe(1);
    asked[0]!.serve(1);
    await settle();
    expect(requests.map(({ outcome }) => outcome)).toEqual([
      by("ask", 1),
      ...Array.from({ length: 19 }, () => by("lease", 1)),
    ]);
  });

  it("that came after a question was sent do not take its bare value: they ask, once for all of them", async () => {
    const { asked, begin } = setUp();
    const first = begin();
    const others = Array.from({ length: 20 }, begin);
    asked[0]!.serve(1, 0);
    await settle();
    expect(first.outcome).toEqual(by("ask", 1));
    expect(others.every(({ outcome }) => outcome === undefined)).toBe(true);
    expect(asked.length).toBe(2);
    const afterwards = begin();
    asked[1]!.serve(2, 0);
    await settle();
    expect(others.map(({ outcome }) => outcome)).toEqual(others.map(() => by("ask", 2)));
    // This one came after the second question.
    expect([afterwards.outcome, asked.length]).toEqual([undefined, 3]);
  });

  it("do not hang when the one that asked is gone: another takes over", async () => {
    const { time, asked, begin } = setUp();
    begin();
    const others = Array.from({ length: 20 }, begin);
    await time.pass(SHARED_ASK_MS_MAX);
    expect(asked.length).toBe(2);
    asked[1]!.serve(1);
    await settle();
    expect(others.every(({ outcome }) => (outcome as Reading<string>).value === "v1")).toBe(true);
  });

  it("ask few questions of a lock and a ledger that are slow, and all end", async () => {
    const { time, asked, ledger, begin } = setUp();
    ledger.read = () => new Promise(() => {});
    const requests = Array.from({ length: 500 }, begin);
    await time.pass(5 * SHARED_ASK_MS_MAX);
    expect(asked.length).toBeLessThanOrEqual(ASKS_UNDER_WAY_MAX);
    for (let n = 0; n < 8; n++) await time.pass(ASK_MS_MAX / 2);
    expect(asked.length).toBeLessThanOrEqual(4 * ASKS_UNDER_WAY_MAX);
    expect(ledger.asked).toBeLessThanOrEqual(4 * LEDGER_READS_UNDER_WAY_MAX);
    expect(requests.filter(({ outcome }) => outcome === undefined)).toEqual([]);
  });

  it("take one another's reading of the ledger, if it began after they came", async () => {
    const { time, asked, ledger, begin } = setUp();
    const replies: ((read: LedgerRead) => void)[] = [];
    ledger.read = () => new Promise((reply) => replies.push(reply));
    const requests = Array.from({ length: 100 }, begin);
    await time.pass(1);
    asked[0]!.fail(DOWN);
    await settle();
    expect(ledger.asked).toBe(LEDGER_READS_UNDER_WAY_MAX);
    // These began before the others came to ask.
    for (const reply of replies.splice(0)) reply({ seq: 1, value: "v1" });
    await settle();
    expect(ledger.asked).toBe(2 * LEDGER_READS_UNDER_WAY_MAX);
    for (const reply of replies.splice(0)) reply({ seq: 2, value: "v2" });
    await settle();
    await time.pass(SHARED_ASK_MS_MAX);
    expect(requests.filter(({ outcome }) => outcome === undefined)).toEqual([]);
    expect(ledger.asked).toBe(2 * LEDGER_READS_UNDER_WAY_MAX);
  });

  it("do not wait at all for a question that is too old to be answered", async () => {
    const { time, asked, source } = setUp();
    // When a request is cancelled, the deadline of its question goes with it.
    const endless = new HolderClock(
      () => time.now,
      () => new Promise(() => {}),
    );
    const register = new HeldRegister<string>(source, endless);
    void register.read(() => undefined);
    await time.pass(ASK_MS_MAX + 1);
    void register.read(() => undefined);
    await settle();
    expect(asked.length).toBe(2);
  });

  it("do not each ask a lock that fails: the failure is shared too", async () => {
    const { asked, ledger, begin } = setUp();
    ledger.read = async () => ({ seq: 1, value: "v1" });
    const requests = Array.from({ length: 20 }, begin);
    asked[0]!.fail(OVERLOADED);
    await settle();
    expect(requests.map(({ outcome }) => outcome)).toEqual(requests.map(() => by("ledger", 1)));
    expect(asked.length).toBe(1);
  });

  it("keep their question alive when the visitor who asked leaves", () => {
    const { work, begin } = setUp();
    begin();
    expect(work.length).toBe(1);
  });
});

describe("answers in the wrong order", () => {
  it("never move the value back, and an old answer brings no lease", async () => {
    const { time, asked, begin, peek } = setUp();
    begin();
    await time.pass(SHARED_ASK_MS_MAX);
    begin();
    await time.pass(SHARED_ASK_MS_MAX);
    asked[1]!.serve(2, 0);
    await settle();
    asked[0]!.serve(1);
    await settle();
    expect(peek()).toBeNull();
    begin();
    expect(asked.at(-1)!.knownSeq).toBe(2);
  });

  it("end a lease on the value before: it cannot be alive any more", async () => {
    const { asked, ledger, time, begin, peek, readFresh } = setUp();
    await readFresh(1);
    await time.pass(LEASE_MS - 1);
    peek();
    asked[1]!.serve(2, 0);
    await settle();
    expect(peek()).toBeNull();
    ledger.read = async () => ({ seq: 2, value: "v2" });
    const next = begin();
    asked.at(-1)!.fail(DOWN);
    await settle();
    expect(next.outcome).toEqual(by("ledger", 2));
  });

  it("end a lease at once when the ledger knows a later value, whatever the clocks say", async () => {
    const { asked, ledger, begin, peek } = setUp();
    const reply = Promise.withResolvers<LedgerRead>();
    ledger.read = () => reply.promise;
    begin();
    asked[0]!.fail(DOWN);
    await settle();
    begin();
    asked[1]!.serve(1);
    await settle();
    expect(peek()).toEqual(by("lease", 1));
    reply.resolve({ seq: 2, value: "v2" });
    await settle();
    expect(peek()).toBeNull();
  });

  it("bring no lease on a value that the ledger knows to be past", async () => {
    const { time, asked, ledger, begin, peek } = setUp();
    ledger.read = async () => ({ seq: 2, value: "v2" });
    begin();
    begin();
    await time.pass(SHARED_ASK_MS_MAX);
    asked[1]!.fail(DOWN);
    await settle();
    asked[0]!.serve(1);
    await settle();
    expect(peek()).toBeNull();
  });

  it("a second answer that says the same only ever lengthens the lease", async () => {
    const { time, asked, peek, readFresh } = setUp();
    await readFresh(1);
    await time.pass(LEASE_MS / 2 + 1);
    peek();
    asked[1]!.serve(1, 10);
    await time.pass(LEASE_MS / 2 - 2);
    expect(peek()).toEqual(by("lease", 1));
    await time.pass(1);
    expect(peek()).toBeNull();
  });
});

describe("a lock that is being replaced", () => {
  it("is asked again, and what it said is not taken", async () => {
    const { time, asked, begin } = setUp();
    const request = begin();
    asked[0]!.refuse();
    await time.pass(SHARED_ASK_MS_MAX);
    asked[1]!.serve(1);
    await settle();
    expect(request.outcome).toEqual(by("ask", 1));
  });

  it("is given up after some tries", async () => {
    const { time, asked, begin } = setUp();
    const request = begin();
    for (let tries = 1; tries <= CONTROL_PLANE_TRIES_MAX; tries++) {
      expect(asked.length).toBe(tries);
      asked[tries - 1]!.refuse();
      await time.pass(SHARED_ASK_MS_MAX);
    }
    expect(request.outcome).toBeInstanceOf(ControlPlaneUnavailable);
    expect(asked.length).toBe(CONTROL_PLANE_TRIES_MAX);
  });
});

describe("a lock out of reach", () => {
  it.each([
    ["fails", DOWN],
    ["has moved", RETRYABLE],
    ["is overloaded", OVERLOADED],
  ])("that %s is not needed when the ledger can tell", async (_, error) => {
    const { asked, ledger, readFailing } = setUp();
    ledger.read = async () => ({ seq: 3, value: "v3" });
    expect(await readFailing(error)).toEqual(by("ledger", 3));
    expect(asked.length).toBe(1);
  });

  it("that does not answer in time is not waited for", async () => {
    const { time, ledger, begin } = setUp();
    ledger.read = async () => ({ seq: 3, value: "v3" });
    const request = begin();
    await time.pass(ASK_MS_MAX - 1);
    expect(request.outcome).toBeUndefined();
    await time.pass(1);
    expect(request.outcome).toEqual(by("ledger", 3));
  });

  it("that throws instead of failing is no different", async () => {
    const { source, ledger, begin, register } = setUp();
    ledger.read = async () => ({ seq: 3, value: "v3" });
    source.lease = () => {
      throw DOWN;
    };
    const request = begin();
    await settle();
    expect(request.outcome).toEqual(by("ledger", 3));
    expect(register.lastSeen).toBe("v3");
  });

  it("gives no lease by the ledger's answer: the next request asks again", async () => {
    const { asked, ledger, peek, readFailing } = setUp();
    ledger.read = async () => ({ seq: 3, value: "v3" });
    await readFailing(DOWN);
    expect(peek()).toBeNull();
    await readFailing(DOWN);
    expect([asked.length, ledger.asked]).toEqual([2, 2]);
  });

  it.each([
    ["fails", DOWN],
    ["has moved", RETRYABLE],
  ])("that %s is asked again when the ledger says that only it can tell", async (_, error) => {
    const { time, asked, ledger, begin } = setUp();
    ledger.read = async () => "undecided";
    const request = begin();
    asked[0]!.fail(error);
    await time.pass(SHARED_ASK_MS_MAX);
    asked[1]!.serve(4);
    await settle();
    expect(request.outcome).toEqual(by("ask", 4));
  });

  it("that is overloaded is not asked again; the ledger is", async () => {
    const { asked, ledger, readFailing } = setUp();
    ledger.read = async () => (ledger.asked === 1 ? "undecided" : { seq: 4, value: "v4" });
    expect(await readFailing(OVERLOADED)).toEqual(by("ledger", 4));
    expect([asked.length, ledger.asked]).toEqual([1, 2]);
  });

  it("is asked a few times only while the ledger is undecided", async () => {
    const { asked, ledger, readFailing } = setUp();
    ledger.read = async () => "undecided";
    expect(await readFailing(DOWN)).toBeInstanceOf(ControlPlaneUnavailable);
    expect(asked.length).toBe(CONTROL_PLANE_TRIES_MAX);
  });
});

describe("neither lock nor ledger", () => {
  it("leaves the last known, with its age, for as long as the policy allows", async () => {
    const { time, readFresh, readFailing } = setUp();
    await readFresh(1);
    await time.pass(LEASE_MS);
    expect(await readFailing(DOWN)).toEqual(by("last-known", 1, LEASE_MS));
    await time.pass(STALE_MS_DEFAULT - LEASE_MS - SHARED_ASK_MS_MAX);
    expect(await readFailing(DOWN)).toEqual(by("last-known", 1, STALE_MS_DEFAULT));
    expect(await readFailing(DOWN)).toBeInstanceOf(ControlPlaneUnavailable);
  });

  it("is never taken for current, however young the last known is", async () => {
    const { readFresh, readFailing } = setUp();
    await readFresh(1, 0);
    expect(await readFailing(DOWN)).toEqual(by("last-known", 1, 1));
  });

  it("leaves nothing where the policy is to refuse", async () => {
    const { time, readFresh, readFailing } = setUp(REFUSE);
    await readFresh(1);
    await time.pass(LEASE_MS);
    expect(await readFailing(DOWN)).toBeInstanceOf(ControlPlaneUnavailable);
  });

  it("obeys the policy that the lock told last", async () => {
    const { source, time, readFresh, readFailing, begin } = setUp();
    await readFresh(1);
    const { lease } = source;
    source.lease = async () => ({
      grant: { kind: "serve", seq: 1, leaseMs: 0 },
      seq: 1,
      policy: REFUSE,
    });
    await time.pass(LEASE_MS);
    begin();
    await settle();
    source.lease = lease;
    expect(await readFailing(DOWN)).toBeInstanceOf(ControlPlaneUnavailable);
  });

  it("leaves nothing to a gateway that knows nothing", async () => {
    const { readFailing } = setUp();
    expect(await readFailing(DOWN)).toBeInstanceOf(ControlPlaneUnavailable);
  });

  it("is asked anew by every request", async () => {
    const { time, readFresh, readFailing } = setUp();
    await readFresh(1);
    await time.pass(LEASE_MS);
    await readFailing(DOWN);
    expect(await readFresh(2)).toEqual(by("ask", 2));
  });
});

describe("a clock that is set back", () => {
  it("ends every lease of the isolate, for good", async () => {
    const { time, set, peek, readFresh } = setUp();
    await readFresh(1);
    set.backMs = 1;
    expect(peek()).toBeNull();
    await time.pass(10);
    expect(peek()).toBeNull();
    await readFresh(1);
    expect(peek()).toEqual(by("lease", 1));
  });

  it("ends those of all registers, whichever saw it", async () => {
    const time = new VirtualTime();
    const set = { backMs: 0 };
    const clock = new HolderClock(() => time.now - set.backMs, time.wait);
    const source = {
      question: "the value",
      policy: REFUSE,
      lease: async () => ({
        grant: { kind: "serve", seq: 1, leaseMs: LEASE_MS } as const,
        seq: 1,
        value: "v1",
      }),
      ledger: async () => "undecided" as const,
    };
    const none = () => undefined;
    const [a, b] = [new HeldRegister(source, clock), new HeldRegister(source, clock)];
    await a.read(none);
    await b.read(none);
    expect([a.peek(none)?.via, b.peek(none)?.via]).toEqual(["lease", "lease"]);
    set.backMs = 10;
    a.peek(none);
    await time.pass(20);
    expect([a.peek(none), b.peek(none)]).toEqual([null, null]);
  });

  it("ends also a lease that was being asked for; the answer is good for its request alone", async () => {
    const { time, set, asked, begin, peek } = setUp();
    const request = begin();
    await time.pass(5);
    set.backMs = 10;
    asked[0]!.serve(1);
    await settle();
    expect(request.outcome).toEqual(by("ask", 1));
    expect(peek()).toBeNull();
    await time.pass(20);
    expect(peek()).toBeNull();
  });

  it("does not end a lease that was asked for afterwards", async () => {
    const { time, set, asked, begin, peek } = setUp();
    begin();
    set.backMs = 10;
    peek();
    begin();
    await time.pass(SHARED_ASK_MS_MAX);
    asked[1]!.serve(1);
    await settle();
    asked[0]!.serve(1);
    await settle();
    expect(peek()).toEqual(by("lease", 1));
  });

  it("neither hides the last known nor lets it be served for longer than the policy allows", async () => {
    const { time, set, readFresh, readFailing } = setUp();
    await readFresh(1);
    set.backMs = 3_600_000;
    expect(await readFailing(DOWN)).toEqual(by("last-known", 1, 1));
    await time.pass(STALE_MS_DEFAULT);
    expect(await readFailing(DOWN)).toBeInstanceOf(ControlPlaneUnavailable);
  });
});

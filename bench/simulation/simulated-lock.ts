/**
 * A Worker's lock and its ledger. The register and the leases are the product's own classes, over storage that is
 * kept in memory; simulated are the object's one thread, its storage's delay, and the database.
 */
import { DurableRegister } from "../../src/control/durable-register.ts";
import { drive, type Progress } from "../../src/control/drive.ts";
import type { LeaseTerms } from "../../src/domain/lease.ts";
import type { HeardAnswer } from "../../src/gateway/held-register.ts";
import { OneServer, overloaded } from "./one-server.ts";
import type { Random } from "./random.ts";
import type { VirtualTime } from "./virtual-time.ts";

type Change = Progress<{ readonly state: "visible" | "refused" }>;

export class SimulatedLock {
  readonly server: OneServer;
  readonly ledgerServer: OneServer;
  /** Sequence number of what is visible. */
  visibleSeq = 0;
  authorityWrites = 0;
  readonly #time: VirtualTime;
  readonly #random: Random;
  readonly #register: DurableRegister<number>;
  /** Nothing leaves the object before what it wrote is durable. */
  #durableAt = 0;
  #ledger = { newest: 0, active: 0 };

  constructor(time: VirtualTime, random: Random, terms: LeaseTerms) {
    this.#time = time;
    this.#random = random;
    this.server = new OneServer(time);
    this.ledgerServer = new OneServer(time);
    this.#register = new DurableRegister<number>(
      this.#storage(),
      {
        commit: async ({ seq }) => {
          await this.#writeLedger(() => void (this.#ledger = { ...this.#ledger, newest: seq }));
          return true;
        },
        activate: ({ seq }) =>
          this.#writeLedger(() => void (this.#ledger = { ...this.#ledger, active: seq })),
        abort: () => Promise.reject(new Error("simulation: nothing gives a change up")),
        flipped: ({ seq }) => void (this.visibleSeq = seq),
        abandoned: () => undefined,
        fenced: async () => {},
        restampsAborted: false,
      },
      { terms: () => terms, skewMs: 0 },
      undefined,
    );
  }

  /** A question for a lease arrives. `answer` is called when the answer leaves the object. */
  lease(answer: (heard: HeardAnswer<number> | Error) => void): void {
    const entered = this.server.enter(() => {
      const grant = this.#register.lease();
      const value = this.#register.visible?.seq ?? 0;
      this.#time.at(this.#durableAt, () => answer({ grant, seq: value, value }));
    });
    if (!entered) answer(overloaded());
  }

  /** A reader of the ledger arrives. */
  readLedger(answer: (read: { seq: number; value: number } | "undecided" | Error) => void): void {
    const entered = this.ledgerServer.enter(() => {
      const { newest, active } = this.#ledger;
      answer(newest === active ? { seq: active, value: active } : "undecided");
    });
    if (!entered) answer(overloaded());
  }

  /** Deploy, as the API does. False: nobody could say that it is visible. */
  async deploy(name: string): Promise<boolean> {
    const over = await drive<{ readonly state: "visible" | "refused" }>(() => ({
      begin: () => this.#call(() => this.#begin(name)),
      confirm: () =>
        this.#call(async () => {
          await this.#register.exclusively(() => this.#register.push());
          return this.#progress(name);
        }),
    }));
    return typeof over !== "string" && over.state === "visible";
  }

  async #begin(name: string): Promise<Change> {
    const turn = await this.#register.turns.enter(false, Date.now());
    if (!turn.ok) return { state: "refused" };
    const seq = this.#register.nextSeq;
    await this.#register.exclusively(() => this.#register.start(name, seq, () => {}));
    return this.#progress(name);
  }

  #progress(name: string): Change {
    if (this.#register.pending === null) return { state: "visible" };
    return { state: "draining", id: name, waitMs: this.#register.drainMs(Date.now()) };
  }

  /** A call of the API, which runs close by. Its answer waits for the storage, too. */
  #call(work: () => Promise<Change>): Promise<Change> {
    return new Promise((resolve, reject) => {
      this.#time.after(this.#random.between(2, 8), () => {
        const entered = this.server.enter(() => {
          work().then((progress) => {
            this.#time.at(this.#durableAt + this.#random.between(2, 8), () => resolve(progress));
          }, reject);
        });
        if (!entered) reject(overloaded());
      });
    });
  }

  async #writeLedger(write: () => void): Promise<void> {
    await this.#time.wait(Math.max(0, this.#durableAt - this.#time.now));
    await this.#time.wait(this.#random.between(5, 20) + this.#random.exponential(10));
    write();
    await this.#time.wait(this.#random.between(5, 20));
  }

  #alarm(at: number): void {
    this.#time.after(Math.max(0, at - Date.now()), () =>
      this.server.enterAnyway(() => void this.#register.onAlarm()),
    );
  }

  #storage(): DurableObjectStorage {
    const storage = {
      sql: {
        exec: (statement: string) => {
          if (statement.startsWith("INSERT OR REPLACE")) {
            if (statement.includes("authority")) this.authorityWrites += 1;
            const written = this.#time.now + this.#random.between(5, 15);
            this.#durableAt = Math.max(this.#durableAt, written);
          }
          return { toArray: () => [] };
        },
      },
      transactionSync: <T>(work: () => T): T => work(),
      setAlarm: async (at: number) => this.#alarm(at),
      deleteAlarm: async () => {},
    };
    return storage as unknown as DurableObjectStorage;
  }
}

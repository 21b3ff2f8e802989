/**
 * Virtual time, which product code sees as `scheduler.wait` and `Date.now` while a simulation runs. Promises settle
 * between two events, as if computing took no time. Times are milliseconds, with fractions.
 */
interface Event {
  readonly at: number;
  /** Later of two at the same time. */
  readonly order: number;
  /** null: called off. */
  run: (() => void) | null;
  /** Running it may settle promises: their reactions have to run before the next event. */
  readonly settles: boolean;
}

export class VirtualTime {
  now = 0;
  readonly #heap: Event[] = [];
  #order = 0;

  at(at: number, run: () => void, settles = true): Event {
    const event: Event = { at: Math.max(at, this.now), order: this.#order++, run, settles };
    const heap = this.#heap;
    let place = heap.push(event) - 1;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!isBefore(event, heap[parent]!)) break;
      heap[place] = heap[parent]!;
      place = parent;
    }
    heap[place] = event;
    return event;
  }

  after(ms: number, run: () => void, settles = true): Event {
    return this.at(this.now + ms, run, settles);
  }

  /** A wait that is called off stays pending. */
  wait(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const event = this.after(ms, resolve);
      if (signal !== undefined)
        (signal as unknown as BareSignal).onabort = () => (event.run = null);
    });
  }

  /** Let everything happen that is due before `until`. */
  async run(until: number): Promise<void> {
    for (let event = this.#next(until); event !== null; event = this.#next(until)) {
      this.now = event.at;
      event.run?.();
      if (event.settles && event.run !== null) await settled();
    }
    this.now = until;
  }

  /** Gives product code this time in place of the process's, and mutes its log. The answer puts both back. */
  install(dateNow: () => number): () => void {
    const world = globalThis as unknown as { scheduler: unknown; AbortController: unknown };
    const { scheduler, AbortController } = world;
    const before = { log: console.log, now: Date.now };
    const { stackTraceLimit } = Error;
    world.scheduler = { wait: (ms: number) => this.wait(ms) };
    world.AbortController = BareController;
    Date.now = dateNow;
    console.log = () => {};
    // Errors are made by the million when a lock is overloaded.
    Error.stackTraceLimit = 0;
    return () => {
      world.scheduler = scheduler;
      world.AbortController = AbortController;
      Date.now = before.now;
      console.log = before.log;
      Error.stackTraceLimit = stackTraceLimit;
    };
  }

  #next(until: number): Event | null {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.at >= until) return null;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(event: Event): void {
    const heap = this.#heap;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child += 1;
      if (!isBefore(heap[child]!, event)) break;
      heap[place] = heap[child]!;
      place = child;
    }
    heap[place] = event;
  }
}

interface BareSignal {
  onabort: (() => void) | null;
}

/** What product code needs of an AbortController: the whole one costs more than the rest of a question. */
class BareController {
  readonly signal: BareSignal = { onabort: null };

  abort(): void {
    this.signal.onabort?.();
  }
}

const isBefore = (a: Event, b: Event): boolean =>
  a.at < b.at || (a.at === b.at && a.order < b.order);

/** An immediate runs only when no promise has anything left to do. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

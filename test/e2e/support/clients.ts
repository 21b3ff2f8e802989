/** Clients that go on asking for one thing, each over a connection of its own, whatever comes back. */
import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** How one request ended. Exactly one of `status` and `error` is there. */
export interface Outcome {
  /** On one clock, in milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly status: number | null;
  /** The connection's failure: its code, or "hung" after `hungMs`. */
  readonly error: string | null;
  /** Of Switchback's own pages. */
  readonly kind: string | null;
  readonly requestId: string | null;
  readonly body: string;
}

export interface ClientsOptions {
  readonly port: number;
  /** Host header. */
  readonly host: string;
  /** Asked in turn. */
  readonly paths?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly count: number;
  /** Between an answer and the next request of the same client, in milliseconds. */
  readonly pauseMs?: number;
  /** A request that has no whole answer by then hangs, in milliseconds. */
  readonly hungMs?: number;
}

const HUNG_MS = 30_000;
/** A client that got no service comes back after that, in milliseconds. */
const COME_BACK_MS = 100;

/** `status` with the kind of Switchback's own page, or the failure: what outcomes are counted by. */
export const nameOf = ({ status, error, kind }: Outcome): string =>
  error ?? (kind === null ? String(status) : `${status} ${kind}`);

export function tallied(outcomes: readonly Outcome[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) {
    const name = nameOf(outcome);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** Of the time from request to whole answer, in milliseconds; `share` in [0, 1]. */
export function quantile(outcomes: readonly Outcome[], share: number): number {
  const took = outcomes
    .map(({ startedAt, endedAt }) => endedAt - startedAt)
    .toSorted((a, b) => a - b);
  return took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? Number.NaN;
}

export class Clients {
  readonly outcomes: Outcome[] = [];
  readonly #options: ClientsOptions;
  readonly #over: Promise<unknown>;
  #asking = true;
  #asked = 0;

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#over = Promise.all(Array.from({ length: options.count }, () => this.#run()));
  }

  /** Each ends what it has begun, and begins nothing more. */
  async stop(): Promise<readonly Outcome[]> {
    this.#asking = false;
    await this.#over;
    return this.outcomes;
  }

  async #run(): Promise<void> {
    const { pauseMs = 0, paths = ["/"] } = this.#options;
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    while (this.#asking) {
      const path = paths[this.#asked++ % paths.length] ?? "/";
      const outcome = await this.#ask(agent, path);
      this.outcomes.push(outcome);
      const isServed = outcome.status !== null && outcome.status < 500;
      await sleep(isServed ? pauseMs : Math.max(pauseMs, COME_BACK_MS));
    }
    agent.destroy();
  }

  #ask(agent: Agent, path: string): Promise<Outcome> {
    const { port, host, headers = {}, hungMs = HUNG_MS } = this.#options;
    const startedAt = performance.now();
    return new Promise((done) => {
      let body = "";
      let status: number | null = null;
      let kind: string | null = null;
      let requestId: string | null = null;
      const end = (error: string | null) => {
        clearTimeout(timer);
        const endedAt = performance.now();
        status = error === null ? status : null;
        done({ startedAt, endedAt, status, error, kind, requestId, body });
      };
      const timer = setTimeout(() => sent.destroy(new Error("hung")), hungMs);
      const failed = (error: NodeJS.ErrnoException) => end(error.code ?? error.message);
      const sent = request(
        { agent, host: "127.0.0.1", port, path, setHost: false, headers: { host, ...headers } },
        (response) => {
          status = response.statusCode ?? 0;
          kind = response.headers["x-switchback-error"]?.toString() ?? null;
          requestId = response.headers["x-request-id"]?.toString() ?? null;
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => (body += chunk));
          response.once("error", failed);
          response.once("end", () => end(null));
        },
      );
      sent.once("error", failed);
      sent.end();
    });
  }
}

import { WorkerEntrypoint } from "cloudflare:workers";
import { RATE_LIMIT_PERIODS_S } from "../../domain/limits-bindings.ts";
import { RATE_LIMIT_KEY_CHARS_MAX } from "../../domain/limits-rate-limit.ts";
import { RateCounter } from "./rate-counter.ts";

/** One each for the process, by period in seconds: counts are gone with it. */
const counters = new Map(RATE_LIMIT_PERIODS_S.map((period) => [period, new RateCounter(period)]));

/** The door to the counts behind rate limit bindings. Workers that name the same namespace share its counts. */
export class RateLimitStore extends WorkerEntrypoint<Env> {
  /** Counts one more, and says whether it is within the limit. `period` in seconds, one of RATE_LIMIT_PERIODS_S. */
  async limit(namespaceId: string, key: string, limit: number, period: number): Promise<boolean> {
    const counter = counters.get(period);
    if (counter === undefined) throw new Error(`unsupported period: ${period}`);
    const counted = key.length <= RATE_LIMIT_KEY_CHARS_MAX ? `=${key}` : `#${await digest(key)}`;
    return counter.allows(namespaceId, counted, limit, Date.now());
  }
}

async function digest(key: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
  return btoa(String.fromCharCode(...new Uint8Array(hash)));
}

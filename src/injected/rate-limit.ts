/** A rate limit binding as the Workers API has it. */
import type { RawBinding } from "./raw-binding.ts";

interface Broker {
  limit(key: string, limit?: number, period?: number): Promise<boolean>;
}

const OPTIONS = new Set(["key", "limit", "period"]);
const PERIODS_S: readonly unknown[] = [10, 60];

export const rateLimit = (raw: RawBinding): unknown => new Ratelimit(raw.stub as unknown as Broker);

class Ratelimit {
  readonly #broker: Broker;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  async limit(options: unknown): Promise<{ readonly success: boolean }> {
    if (typeof options !== "object" || options === null) {
      throw new Error("invalid rate limit options");
    }
    const unknown = Object.keys(options).filter((name) => !OPTIONS.has(name));
    if (unknown.length > 0) throw new Error(`bad rate limit options: [${unknown.join(",")}]`);
    const { key = "", limit, period } = options as Readonly<Record<string, unknown>>;
    if (typeof key !== "string") throw new Error(`invalid key: ${key as string}`);
    if (limit !== undefined && typeof limit !== "number") {
      throw new Error(`limit must be a number: ${limit as string}`);
    }
    if (period !== undefined && typeof period !== "number") {
      throw new Error(`period must be a number: ${period as string}`);
    }
    if (period !== undefined && !PERIODS_S.includes(period)) {
      throw new Error(`unsupported period: ${period}`);
    }
    return { success: await this.#broker.limit(key, limit, period) };
  }
}

import { WorkerEntrypoint } from "cloudflare:workers";
import { storeOf } from "../../data/stores.ts";
import { RATE_LIMIT_PERIODS_S } from "../../domain/limits-bindings.ts";
import { reach } from "./reach.ts";

interface RateLimitBindingProps {
  /** As the versions' authors number them. */
  readonly namespaceId: string;
  /** What the version declares. `period` in seconds. */
  readonly simple: { readonly limit: number; readonly period: number };
}

/** The broker of a rate limit binding. */
export function defineRateLimitBinding<Env>() {
  return class RateLimitBinding extends WorkerEntrypoint<Env, RateLimitBindingProps> {
    /** `limit` and `period`, where given, replace what the version declares. */
    limit(key: string, limit?: number, period?: number): Promise<boolean> {
      const { env, ctx } = this;
      const { namespaceId, simple } = ctx.props;
      const allowed = Number(limit ?? simple.limit);
      const within = Number(period ?? simple.period);
      if (!RATE_LIMIT_PERIODS_S.includes(within)) throw new Error(`unsupported period: ${within}`);
      const text = String(key);
      // Counted twice at worst, when the count's process was lost: and then it began anew.
      return reach("The rate limiter", { idempotent: true }, () =>
        storeOf(env, ctx, "RateLimitStore").limit(namespaceId, text, allowed, within),
      );
    }
  };
}

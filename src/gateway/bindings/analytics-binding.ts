import { WorkerEntrypoint } from "cloudflare:workers";
import { storeOf } from "../../data/stores.ts";
import { toAnalyticsPoint } from "../../domain/analytics-point.ts";
import { ANALYTICS_POINTS_PER_CALL_MAX } from "../../domain/limits-analytics.ts";
import { reach } from "./reach.ts";

interface AnalyticsBindingProps {
  readonly dataset: string;
}

/** The broker of an Analytics Engine binding. What is no data point, or one too many, is dropped. */
export function defineAnalyticsBinding<Env>() {
  return class AnalyticsBinding extends WorkerEntrypoint<Env, AnalyticsBindingProps> {
    async write(given: readonly unknown[]): Promise<void> {
      if (!Array.isArray(given)) return;
      const points = given
        .slice(0, ANALYTICS_POINTS_PER_CALL_MAX)
        .map(toAnalyticsPoint)
        .filter((point) => point !== null);
      const { env, ctx } = this;
      // Written twice at worst, when the store's process was lost on the way: they are samples.
      await reach("Analytics Engine", { idempotent: true }, () =>
        storeOf(env, ctx, "AnalyticsStore").write(ctx.props.dataset, points),
      );
    }
  };
}

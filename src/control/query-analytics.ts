import type { AnalyticsAnswer } from "../data/analytics/analytics-store.ts";
import type { DomainError } from "../domain/errors.ts";
import { err, type Result } from "../domain/result.ts";
import { askStore } from "./ask-store.ts";
import type { ControlContext } from "./context.ts";

export type { AnalyticsAnswer };

export async function queryAnalytics(
  context: Pick<ControlContext, "stores">,
  query: string,
): Promise<Result<AnalyticsAnswer, DomainError>> {
  const asked = await askStore("Analytics Engine", { idempotent: true }, () =>
    context.stores.AnalyticsStore.query(query),
  );
  if (!asked.ok) return asked;
  const { value: answer } = asked;
  return answer.ok ? answer : err({ kind: "analytics_query_refused", detail: answer.error });
}

import { type DurableObject, WorkerEntrypoint } from "cloudflare:workers";
import type { AnalyticsPoint } from "../../domain/analytics-point.ts";
import {
  type AnalyticsColumn,
  type AnalyticsFormat,
  isDatasetName,
  readAnalyticsQuery,
} from "../../domain/analytics-query.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import type { AnalyticsObject, AnalyticsValue } from "./analytics-object.ts";

type ObjectCalls = {
  readonly [
    Name in Exclude<keyof AnalyticsObject, keyof DurableObject>
  ]: AnalyticsObject[Name] extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Promise<Awaited<Answer>>
    : never;
};

export interface AnalyticsAnswer {
  readonly columns: readonly AnalyticsColumn[];
  readonly rows: readonly (readonly AnalyticsValue[])[];
  readonly format: AnalyticsFormat;
}

/** The door to all datasets, by their names. */
export class AnalyticsStore extends WorkerEntrypoint<Env> {
  /** A dataset is there from its first data point on. */
  async write(dataset: string, points: readonly AnalyticsPoint[]): Promise<void> {
    if (!isDatasetName(dataset)) return;
    await this.#object(dataset).write(points);
  }

  /** Otherwise what is wrong with the query, as a sentence. */
  async query(text: string): Promise<Result<AnalyticsAnswer, string>> {
    const query = readAnalyticsQuery(text);
    if (!query.ok) return query;
    const { dataset, sql, columns, format } = query.value;
    const answer = await this.#object(dataset).query(sql);
    if (!answer.ok) return answer;
    if (answer.value === null) {
      const name = JSON.stringify(dataset);
      return err(`there is no dataset ${name}: no Worker has written a data point to it.`);
    }
    return ok({ columns, rows: answer.value, format });
  }

  #object(dataset: string): ObjectCalls {
    return this.env.ANALYTICS.getByName(dataset) as unknown as ObjectCalls;
  }
}

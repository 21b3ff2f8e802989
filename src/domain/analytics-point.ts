import {
  ANALYTICS_BLOBS_BYTES_MAX,
  ANALYTICS_FIELDS_MAX,
  ANALYTICS_INDEX_BYTES_MAX,
} from "./limits-analytics.ts";

/** A data point as it is stored. What was not given is null, and reads as empty or 0. */
export interface AnalyticsPoint {
  readonly index: string | null;
  readonly blobs: readonly (string | null)[];
  readonly doubles: readonly (number | null)[];
}

/** Null: it is none, or goes past a limit. */
export function toAnalyticsPoint(given: unknown): AnalyticsPoint | null {
  const { index, blobs, doubles } = (given ?? {}) as Readonly<Record<string, unknown>>;
  const texts = listOf(blobs, (value) => typeof value === "string");
  const numbers = listOf(doubles, (value) => typeof value === "number");
  const isIndex = index === null || typeof index === "string";
  if (texts === null || numbers === null || !isIndex) return null;
  const bytes = (texts as (string | null)[]).reduce((sum, text) => sum + bytesOf(text), 0);
  if (bytes > ANALYTICS_BLOBS_BYTES_MAX || bytesOf(index) > ANALYTICS_INDEX_BYTES_MAX) return null;
  return {
    index,
    blobs: texts as (string | null)[],
    doubles: (numbers as (number | null)[]).map((n) => (Number.isFinite(n) ? n : null)),
  };
}

function listOf(list: unknown, isOne: (value: unknown) => boolean): readonly unknown[] | null {
  if (!Array.isArray(list) || list.length > ANALYTICS_FIELDS_MAX) return null;
  return list.every((value) => value === null || isOne(value)) ? (list as unknown[]) : null;
}

const bytesOf = (text: string | null): number =>
  text === null ? 0 : new TextEncoder().encode(text).byteLength;

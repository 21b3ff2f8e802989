/** What the control process counts, as it tells it, and as metrics. */
import * as z from "zod";
import type { Sample } from "./exposition.ts";
import type { FamilyName } from "./families.ts";

/** The Worker's own names of its counters. */
const NAMES: Readonly<Record<string, FamilyName>> = {
  api_requests: "switchback_api_requests_total",
  asks: "switchback_control_asks_total",
  events: "switchback_control_events_total",
};
/** Names that a label may take are written in the code; were it otherwise, this many of them are enough. */
const SAMPLES_MAX = 2_000;

const Report = z.object({
  counters: z.array(
    z.object({
      name: z.string(),
      labels: z.record(z.string(), z.string()),
      value: z.number().min(0),
    }),
  ),
});

/** Null for what is not a report. */
export function controlCountersOf(text: string): Sample[] | null {
  try {
    const { counters } = Report.parse(JSON.parse(text));
    return counters.slice(0, SAMPLES_MAX).flatMap(({ name, labels, value }) => {
      const family = NAMES[name];
      return family === undefined ? [] : [{ name: family, labels, value }];
    });
  } catch {
    return null;
  }
}

import type { Target } from "./table.ts";

/** "Does not grow": much over little, as the ratio of the medians. */
export const FLAT_MAX: Target = { bound: "at most", value: 1.2 };

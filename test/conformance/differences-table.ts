import type { KnownDifference } from "./known-differences.ts";

/** Whether a place is one of the difference's. */
export const isThere = ({ at }: KnownDifference, place: string): boolean =>
  at.some((pattern) => matches(pattern, place));

/** `*` in a pattern stands for any text. */
export function matches(pattern: string, place: string): boolean {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[$()+.?[\\\]^{|}]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`, "s").test(place);
}

/** As Markdown. */
export function differencesTable(known: readonly KnownDifference[]): string {
  const rows = known.map(({ why, at }) => {
    const checks = new Set(at.map((pattern) => pattern.split(" @ ")[0]));
    return `| ${why} | ${[...checks].map((check) => `\`${check}\``).join(", ")} |`;
  });
  return ["| Difference | Checks |", "|---|---|", ...rows].join("\n");
}

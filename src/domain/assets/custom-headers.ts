/** What `_headers` does to an answer. */
import type { HeaderRule } from "./parse-headers.ts";
import { fillIn, matchRule, parseRulePattern, type RulePattern } from "./rule-pattern.ts";

export type HeaderIndex = readonly (HeaderRule & { readonly pattern: RulePattern })[];

/** In order. */
export interface HeaderChange {
  readonly kind: "set" | "append" | "delete";
  readonly name: string;
  readonly value: string;
}

export const indexHeaders = (rules: readonly HeaderRule[]): HeaderIndex =>
  rules.flatMap((rule) => {
    const pattern = parseRulePattern(rule.path);
    return pattern === null ? [] : [{ ...rule, pattern }];
  });

/** `pathname` is percent-encoded. The first rule that sets a header replaces it, those after it add to it. */
export function headerChanges(
  index: HeaderIndex,
  hostname: string,
  pathname: string,
): readonly HeaderChange[] {
  const changes: HeaderChange[] = [];
  const set = new Set<string>();
  for (const rule of index) {
    const captures = matchRule(rule.pattern, hostname, pathname);
    if (captures === null) continue;
    for (const name of rule.unset) changes.push({ kind: "delete", name, value: "" });
    for (const [name, template] of Object.entries(rule.set)) {
      const value = fillIn(template, captures);
      changes.push({ kind: set.has(name) ? "append" : "set", name, value });
      set.add(name);
    }
  }
  return changes;
}

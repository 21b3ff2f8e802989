import { describe, expect, it } from "vitest";
import { RateCounter } from "../../../src/data/rate-limits/rate-counter.ts";
import {
  RATE_LIMIT_KEYS_MAX,
  RATE_LIMIT_NAMESPACE_KEYS_MAX,
} from "../../../src/domain/limits-rate-limit.ts";

const T = 1_700_000_000_000 - (1_700_000_000_000 % 60_000);

describe("a rate limit", () => {
  it("lets so many pass in each period, by key and namespace", () => {
    const counter = new RateCounter(10);
    const hit = (key: string, at: number, namespace = "1") => counter.allows(namespace, key, 2, at);
    expect([hit("a", T), hit("a", T + 1), hit("a", T + 9_999)]).toEqual([true, true, false]);
    expect([hit("b", T), hit("a", T, "2")]).toEqual([true, true]);
    expect(hit("a", T + 10_000)).toBe(true);
  });

  it("forgets the key seen longest ago when a namespace has too many, and no other namespace's", () => {
    const counter = new RateCounter(60);
    const hit = (namespace: string, key: string) => counter.allows(namespace, key, 1, T);
    hit("other", "k");
    hit("1", "first");
    for (let n = 0; n < RATE_LIMIT_NAMESPACE_KEYS_MAX; n++) hit("1", `${n}`);
    expect([hit("other", "k"), hit("1", "5"), hit("1", "first")]).toEqual([false, false, true]);
  });

  it("keeps no more than so many keys of all namespaces", () => {
    const counter = new RateCounter(60);
    const hit = (namespace: number, key: number) => counter.allows(`${namespace}`, `${key}`, 1, T);
    const each = RATE_LIMIT_NAMESPACE_KEYS_MAX;
    const namespaces = RATE_LIMIT_KEYS_MAX / each;
    for (let n = 0; n < namespaces; n++) for (let key = 0; key < each; key++) hit(n, key);
    expect(hit(1, 0)).toBe(false);
    hit(namespaces, 0);
    // The namespace that was quiet longest has lost its first.
    expect(hit(0, 0)).toBe(true);
  });
});

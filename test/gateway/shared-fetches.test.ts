import { describe, expect, it } from "vitest";
import { ASK_MS_MAX, VERSION_FETCHES_UNDER_WAY_MAX } from "../../src/domain/limits.ts";
import { SharedFetches } from "../../src/gateway/shared-fetches.ts";
import { settle, VirtualTime } from "./virtual-time.ts";

function setUp() {
  const time = new VirtualTime();
  const shared = new SharedFetches<string>(() => time.now, time.wait);
  const store: { value: string | null } = { value: null };
  const fetches: PromiseWithResolvers<string>[] = [];
  const begin = () => {
    const begun: { outcome?: unknown } = {};
    const fetch = async () => {
      const fetching = Promise.withResolvers<string>();
      fetches.push(fetching);
      return (store.value = await fetching.promise);
    };
    shared
      .get("a", () => store.value, fetch)
      .then(
        (value) => (begun.outcome = value),
        (error: unknown) => (begun.outcome = error),
      );
    return begun;
  };
  return { time, fetches, begin };
}

describe("many requests that need the same thing", () => {
  it("fetch it a few times at most, and all have it as soon as one does", async () => {
    const { fetches, begin } = setUp();
    const requests = Array.from({ length: 100 }, begin);
    await settle();
    expect(fetches).toHaveLength(VERSION_FETCHES_UNDER_WAY_MAX);
    fetches.at(-1)?.resolve("it");
    fetches[0]?.resolve("it");
    await settle();
    expect(requests.map(({ outcome }) => outcome)).toEqual(requests.map(() => "it"));
  });

  it("all hear of a failure at once", async () => {
    const { fetches, begin } = setUp();
    const requests = Array.from({ length: 100 }, begin);
    await settle();
    for (const fetch of fetches) fetch.reject("down");
    await settle();
    expect(requests.map(({ outcome }) => outcome)).toEqual(requests.map(() => "down"));
  });

  it("do not wait for ever for those that are gone", async () => {
    const { time, fetches, begin } = setUp();
    const requests = Array.from({ length: 10 }, begin);
    await settle();
    for (let passed = 0; passed <= ASK_MS_MAX + 200; passed += 100) await time.pass(100);
    expect(fetches).toHaveLength(2 * VERSION_FETCHES_UNDER_WAY_MAX);
    fetches.at(-1)?.resolve("it");
    await settle();
    expect(requests.filter(({ outcome }) => outcome === "it").length).toBeGreaterThan(6);
  });
});

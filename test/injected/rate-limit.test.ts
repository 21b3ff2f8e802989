import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { rateLimit } from "../../src/injected/rate-limit.ts";

interface Exports {
  readonly RateLimitBinding: (options: {
    props: { namespaceId: string; simple: { limit: number; period: number } };
  }) => Fetcher;
}

let namespaces = 0;
function bound(limit: number, namespaceId = `n${namespaces++}`): RateLimit {
  const props = { namespaceId, simple: { limit, period: 60 } };
  const stub = (exports as unknown as Exports).RateLimitBinding({ props });
  return rateLimit({ name: "RL", type: "ratelimit", stub }) as RateLimit;
}
const any = <T>(value: unknown) => value as T;

describe("a rate limit binding", { timeout: 20_000 }, () => {
  beforeAll(async () => {
    await bound(1).limit({ key: "warm" });
  }, 60_000);

  it("says when a key has reached its limit, whoever counts it", async () => {
    const [one, other] = [bound(2, "shared"), bound(2, "shared")];
    const answers = [];
    // Should a period end just now, counting begins anew once.
    for (let n = 0; n < 6; n++) answers.push(await (n % 2 === 0 ? one : other).limit({ key: "k" }));
    expect(answers.filter(({ success }) => success).length).toBeLessThan(5);
    expect(answers).toContainEqual({ success: false });
    expect(await bound(2).limit({ key: "k" })).toEqual({ success: true });
  });

  it("counts long keys apart", async () => {
    const limiter = bound(1);
    const key = "x".repeat(10_000);
    expect(await limiter.limit({ key: `${key}1` })).toEqual({ success: true });
    expect(await limiter.limit({ key: `${key}2` })).toEqual({ success: true });
  });

  it.each([
    [undefined, "invalid rate limit options"],
    [{ key: 7 }, "invalid key: 7"],
    [{ key: "k", more: 1 }, "bad rate limit options: [more]"],
    [{ key: "k", period: 30 }, "unsupported period: 30"],
  ])("refuses %j", async (options, message) => {
    await expect(bound(1).limit(any<RateLimitOptions>(options))).rejects.toThrow(message);
  });
});

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import type { ControlContext } from "../../src/control/context.ts";
import type { ProbeResult } from "../../src/domain/version.ts";
import { startOnce } from "../../src/control/start-once.ts";
import { START_CHECK_KEEP_MS } from "../../src/domain/limits.ts";
import type { LoadableVersion } from "../../src/domain/version.ts";
import { openDatabase } from "../../src/store/database.ts";
import { freshDatabase, newUuid } from "../support/fixtures.ts";

beforeEach(async () => {
  await freshDatabase();
  await env.DB.exec("DELETE FROM start_checks");
});

const CODE = "a".repeat(64);
const STARTS: ProbeResult = { ok: true, startupTimeMs: 1, handlers: ["fetch"], namedHandlers: [] };

/** One life of a runtime: what it was asked to start, and what starting comes to. */
function runtime(instance: string | null, at = 1_000_000) {
  const probed: string[] = [];
  const context = (probe: () => Promise<ProbeResult>) =>
    ({
      db: openDatabase(env.DB),
      runtimeInstance: instance,
      now: () => at,
      probe: ({ id }: LoadableVersion) => {
        probed.push(id);
        return probe();
      },
    }) as unknown as ControlContext;
  const start = (contentHash = CODE, probe = () => Promise.resolve(STARTS)) =>
    startOnce(context(probe), { id: newUuid(), contentHash } as LoadableVersion);
  return {
    start,
    probed,
    /** The runtime ends while it starts the code: nobody hears of it again. */
    async endBy(contentHash = CODE) {
      const started = Promise.withResolvers<void>();
      void start(contentHash, () => {
        started.resolve();
        return new Promise<never>(() => {});
      });
      await started.promise;
    },
  };
}

const refusal = {
  ok: false,
  error: {
    kind: "start_failed",
    detail: expect.stringMatching(/loop at the top level\?/) as string,
  },
};

describe("code that a runtime did not survive", () => {
  it("is not started again by the next one, and the refusal says why and until when", async () => {
    await runtime("one").endBy();
    const next = runtime("two", 1_020_000);
    const refused = await next.start();
    expect(refused).toEqual(refusal);
    expect(JSON.stringify(refused)).toMatch(/20 s ago.*in 10 min/);
    expect(await next.start()).toEqual(refusal);
    expect(next.probed).toEqual([]);
  });

  it("does not keep other code from being started", async () => {
    await runtime("one").endBy();
    expect(await runtime("two").start("b".repeat(64))).toEqual({ ok: true, value: STARTS });
  });

  it("may be tried again after a while", async () => {
    await runtime("one", 0).endBy();
    expect(await runtime("two", START_CHECK_KEEP_MS - 1).start()).toEqual(refusal);
    expect(await runtime("two", START_CHECK_KEEP_MS).start()).toEqual({ ok: true, value: STARTS });
  });
});

describe("code that came to the end of its start", () => {
  const ends: [string, () => Promise<ProbeResult>][] = [
    ["well", () => Promise.resolve(STARTS)],
    ["with an error of its own", () => Promise.resolve({ ok: false, message: "boom" })],
    ["with a fault of the gateway", () => Promise.reject(new Error("gone"))],
  ];
  it.each(ends)("%s: is started by the next runtime too", async (_, probe) => {
    await runtime("one")
      .start(CODE, probe)
      .catch(() => undefined);
    expect(await runtime("two").start()).toEqual({ ok: true, value: STARTS });
  });

  it("is started as often as it is uploaded, at one time too", async () => {
    const one = runtime("one");
    await one.endBy();
    expect(await Promise.all([one.start(), one.start()])).toEqual([
      { ok: true, value: STARTS },
      { ok: true, value: STARTS },
    ]);
  });
});

it("where code is started apart, nothing is noted and nothing refused", async () => {
  await runtime(null).endBy();
  const { results } = await env.DB.prepare("SELECT id FROM start_checks").all();
  expect(results).toEqual([]);
  expect(await runtime("one").start()).toEqual({ ok: true, value: STARTS });
});

import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { fakeSwitchback } from "./fake-control-plane.ts";

const HOST = "http://web.workers.example/";
/** Answers how often this isolate has been asked. */
const COUNTER = `let n = 0; export default { fetch: () => new Response(String(++n)) };`;

/** `web` with one deployed version, and a loader that tells for which isolates the runtime is to tell. */
function setUp() {
  const told: string[] = [];
  const collector = {} as Fetcher;
  const loader: WorkerLoader = {
    load: (code) => env.LOADER.load(code),
    get: (id, getCode) =>
      env.LOADER.get(id, async () => {
        const { tails, ...code } = await getCode();
        if (tails?.[0] === collector) told.push(id!);
        return code;
      }),
  };
  const switchback = fakeSwitchback({ loader });
  switchback.scope.binding = () => collector;
  const workerId = switchback.worker("web");
  const versionId = switchback.version(workerId, COUNTER);
  switchback.deploy(workerId, [versionId, 100]);
  const ask = async (url = HOST) => (await switchback.fetch(url)).text();
  return { ...switchback, workerId, versionId, told, ask };
}

describe("a Worker that somebody tails", () => {
  it("runs in an isolate of which the runtime tells, and goes back to the one it had", async () => {
    const { ask, tailed, workerId, told } = setUp();
    expect([await ask(), await ask(), told.length]).toEqual(["1", "2", 0]);
    tailed.add(workerId);
    expect([await ask(), await ask(), told.length]).toEqual(["1", "2", 1]);
    tailed.delete(workerId);
    expect([await ask(), told.length]).toEqual(["3", 1]);
    // Another tail finds nothing of the first one.
    tailed.add(workerId);
    expect([await ask(), told.length]).toEqual(["1", 2]);
    expect(new Set(told).size).toBe(2);
  });

  it("is tailed on its preview hosts too, by their own word", async () => {
    const { ask, tailed, previews, workerId, versionId, told } = setUp();
    previews.set(`next-${workerId}`, versionId);
    tailed.add(workerId);
    expect(await ask("http://next-web.workers.example/")).toBe("1");
    expect(told).toHaveLength(1);
  });

  it("costs the others nothing", async () => {
    const { ask, tailed, worker, version, deploy, told } = setUp();
    const other = worker("other");
    deploy(other, [version(other, COUNTER), 100]);
    tailed.add(other);
    await ask();
    expect(told).toEqual([]);
  });
});

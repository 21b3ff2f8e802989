/** Whatever is killed at whatever instant: a deployment happened as a whole or not at all, and none is lost. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deploymentsOf } from "./support/api-state.ts";
import { says } from "./support/project.ts";
import { addVersion, putWorker } from "./support/small-worker.ts";
import { ACCOUNT_ID, TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

const deploy = (worker: string, version: string, message = "") =>
  host.send("POST", `A/workers/scripts/${worker}/deployments`, {
    strategy: "percentage",
    versions: [{ version_id: version, percentage: 100 }],
    ...(message === "" ? {} : { annotations: { "workers/message": message } }),
  });

describe("host and runtime killed at one instant of a deployment", () => {
  // From here on the new deployment may have been seen, so it has to be there after the restart.
  const visibleFrom = new Set(["T4", "S5"]);

  test.each(["T1", "S2", "S3", "T4", "S5"])("%s", async (point) => {
    const worker = `crash-${point.toLowerCase()}`;
    const address = `${worker}.localhost`;
    const old = await putWorker(host, worker, says("old"));
    const next = await addVersion(host, worker, says("next"));
    const before = await deploymentsOf(host, worker);

    await host.stop();
    await host.start({ env: { SWITCHBACK_FAULT_POINT: point } });
    const lost = deploy(worker, next, "the lost one").catch(() => "no answer");
    const held = await host.logged(/ fault_point .*/);
    expect(held[0]).toContain(`reached=${point} `);
    const seen = (await host.visit(address)).body;
    expect(seen).toBe(visibleFrom.has(point) ? "next" : "old");
    await host.killEverything();
    expect(await lost).toBe("no answer");

    await host.start();
    const early = (await host.visit(address)).body;
    if (visibleFrom.has(point)) expect(early).toBe("next");
    const history = await deploymentsOf(host, worker);
    const visit = await host.visit(address);
    if (early === "next") expect(visit.body).toBe("next");
    // History, status and traffic say the same, and what was acknowledged is all there.
    const happened = history.length === before.length + 1;
    expect(history.slice(happened ? 1 : 0)).toEqual(before);
    expect(visit.headers["x-switchback-deployment"]).toBe(history[0]?.id);
    expect(visit.headers["x-switchback-version"]).toBe(happened ? next : old);
    expect(visit.body).toBe(happened ? "next" : "old");
    if (happened) expect(history[0]?.annotations["workers/message"]).toBe("the lost one");

    // The lock is not stuck: the next deployment takes the next place.
    const again = await deploy(worker, old, "afterwards");
    expect(again.status).toBe(200);
    expect((await host.visit(address)).body).toBe("old");
    expect(await deploymentsOf(host, worker)).toEqual([
      expect.objectContaining({ id: again.result.id }),
      ...history,
    ]);
  });
});

describe("the runtime killed under a load of deployments", () => {
  const KILLS = 4;
  const ACKNOWLEDGED_BETWEEN_KILLS = 15;
  const CLIENTS = 3;

  test("each acknowledged deployment is in history once, in order; each other at most once", async () => {
    const versions = [
      await putWorker(host, "busy", says("a")),
      await addVersion(host, "busy", says("b")),
    ];
    const first = (await deploymentsOf(host, "busy"))[0]?.id ?? "";
    const acknowledged: { id: string; startedAt: number; endedAt: number }[] = [];
    const messages = new Set<string>();
    let deploying = true;
    const client = async (name: number) => {
      for (let turn = 0; deploying; turn++) {
        const message = `client ${name} turn ${turn}`;
        messages.add(message);
        const startedAt = performance.now();
        try {
          const made = await host.sdk().workers.scripts.deployments.create("busy", {
            account_id: ACCOUNT_ID,
            strategy: "percentage",
            versions: [{ version_id: versions[turn % 2] ?? "", percentage: 100 }],
            annotations: { "workers/message": message },
          });
          acknowledged.push({ id: made.id, startedAt, endedAt: performance.now() });
        } catch {
          // The runtime is being killed; whether this one happened, history will say.
        }
      }
    };
    const clients = Array.from({ length: CLIENTS }, (_, name) => client(name));
    for (let kill = 0; kill < KILLS; kill++) {
      const goal = acknowledged.length + ACKNOWLEDGED_BETWEEN_KILLS;
      while (acknowledged.length < goal) await pause();
      const killed = host.killRuntime();
      while (host.runtimePid() === killed) await pause();
    }
    const goal = acknowledged.length + ACKNOWLEDGED_BETWEEN_KILLS;
    while (acknowledged.length < goal) await pause();
    deploying = false;
    await Promise.all(clients);

    const history = await wholeHistory("busy");
    const place = new Map(history.map(({ id }, at) => [id, at]));
    expect(place.size).toBe(history.length);
    expect(acknowledged.filter(({ id }) => !place.has(id))).toEqual([]);
    const said = history.map(({ annotations }) => annotations["workers/message"] ?? "");
    expect(new Set(said.slice(0, -1)).size).toBe(history.length - 1);
    expect(said.slice(0, -1).filter((message) => !messages.has(message))).toEqual([]);
    expect(history.at(-1)?.id).toBe(first);
    // Newest first: what was acknowledged before another began is older.
    const misplaced = acknowledged.flatMap((a) =>
      acknowledged.filter(
        (b) => a.endedAt < b.startedAt && (place.get(a.id) ?? 0) < (place.get(b.id) ?? 0),
      ),
    );
    expect(misplaced).toEqual([]);
    const visit = await host.visit("busy.localhost");
    expect(visit.headers["x-switchback-deployment"]).toBe(history[0]?.id);
    expect(visit.headers["x-switchback-version"]).toBe(history[0]?.versions[0]?.version_id);

    await host.stop();
    // No place in the history is missing; one that a rollback overtook is there as a tombstone.
    const places = placesOf("busy");
    expect(places.map(({ seq }) => seq)).toEqual(places.map((_, at) => at + 1));
    expect(places.filter(({ status }) => status === "active")).toHaveLength(history.length);
    expect(places.filter(({ status }) => status === "committing")).toEqual([]);
    await host.start();
  });
});

describe("host and runtime killed at one instant of a change of routes", () => {
  test.each(["T1", "S2", "S3", "T4", "S5"])("%s", async (point) => {
    const worker = `routed-${point.toLowerCase()}`;
    const address = `${worker}.example`;
    await putWorker(host, worker, says(worker));
    const route = (path: string) =>
      host.send("PUT", `A/workers/scripts/${worker}/routes`, [
        { pattern: `${address}${path}`, zone_name: address },
      ]);
    const patterns = async () =>
      (await host.api(`A/workers/scripts/${worker}/routes`)).result.map(
        (item: { pattern: string }) => item.pattern,
      );
    const serves = async (path: string) => (await host.visit(address, path)).status === 200;
    expect((await route("/old")).status).toBe(200);
    expect([await serves("/old"), await serves("/new")]).toEqual([true, false]);

    await host.stop();
    await host.start({ env: { SWITCHBACK_FAULT_POINT: point } });
    const lost = route("/new").catch(() => "no answer");
    await host.logged(new RegExp(` fault_point .*reached=${point} `));
    const seenNew = await serves("/new");
    await host.killEverything();
    expect(await lost).toBe("no answer");

    await host.start();
    if (seenNew) expect(await serves("/new")).toBe(true);
    const [pattern] = await patterns();
    const isNew = pattern === `${address}/new`;
    expect(pattern).toBe(isNew ? `${address}/new` : `${address}/old`);
    expect([await serves("/old"), await serves("/new")]).toEqual([!isNew, isNew]);
    expect((await route("/*")).status).toBe(200);
    expect(await patterns()).toEqual([`${address}/*`]);
    expect([await serves("/old"), await serves("/new")]).toEqual([true, true]);
  });
});

/** The places in a Worker's history, oldest first, as the ledger keeps them. */
const placesOf = (worker: string) =>
  host.ledger(
    "SELECT d.seq, d.status FROM deployments d JOIN workers w ON w.id = d.worker_id WHERE w.name = ? ORDER BY d.seq",
    worker,
  );

const pause = () => new Promise<void>((done) => setTimeout(done, 5));

async function wholeHistory(worker: string) {
  const pages: Awaited<ReturnType<typeof deploymentsOf>>[] = [];
  for (let page = 1; ; page++) {
    const answer = await host.api(
      `A/workers/scripts/${worker}/deployments?per_page=100&page=${page}`,
    );
    if (answer.result.deployments.length === 0) return pages.flat();
    pages.push(answer.result.deployments);
  }
}

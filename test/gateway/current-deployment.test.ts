import { describe, expect, it } from "vitest";
import type { Stopped } from "../../src/domain/breaker.ts";
import type { DeploymentId, VersionId, WorkerId } from "../../src/domain/ids.ts";
import { DEFAULT_ISOLATION, type IsolationPolicy } from "../../src/domain/lease-settings.ts";
import { ASK_MS_MAX, STALE_MS_DEFAULT } from "../../src/domain/limits.ts";
import type { RouteTable, WorkerHost } from "../../src/domain/route-table.ts";
import type { ControlPlane } from "../../src/gateway/control-plane.ts";
import { CurrentDeployments } from "../../src/gateway/current-deployment.ts";
import { ControlPlaneUnavailable } from "../../src/gateway/gateway-errors.ts";
import { StoppedVersions } from "../../src/gateway/stopped-versions.ts";

const LEASE_MS = 1_000;
const [ONE, TWO] = ["one" as WorkerId, "two" as WorkerId];
const REFUSE: IsolationPolicy = { onIsolation: "refuse", staleMsMax: 0 };

const tableOf = (workerId: WorkerId): RouteTable => ({
  workers: [{ workerId, name: "web", enabled: true, previewsEnabled: true }],
  routes: [],
  domains: [],
});

/** `web` is the Worker `one`; both locks give leases of `leaseMs`; the clock moves only by hand. */
function setUp(leaseMs = 0) {
  const clock = { now: 1_000_000 };
  const state = {
    leaseMs,
    seq: 1,
    table: tableOf(ONE),
    settings: DEFAULT_ISOLATION,
    upcoming: [] as readonly VersionId[],
    stopped: [] as readonly Stopped[],
    tailed: false,
  };
  const calls: string[] = [];
  const work: Promise<unknown>[] = [];
  const deploymentOf = (workerId: WorkerId) => ({
    seq: 1,
    deploymentId: `d-${workerId}` as DeploymentId,
    versions: [],
  });
  const controlPlane: ControlPlane = {
    async leaseDeployment(workerId) {
      calls.push(`deployment ${workerId}`);
      return {
        grant: { kind: "serve", seq: 1, leaseMs: state.leaseMs },
        current: deploymentOf(workerId),
        upcoming: state.upcoming,
        settings: state.settings,
        stopped: state.stopped,
        tailed: state.tailed,
        given: {},
      };
    },
    async leaseRouting(knownSeq) {
      calls.push(`table ${knownSeq}`);
      const { seq, table } = state;
      const grant = { kind: "serve", seq, leaseMs: state.leaseMs } as const;
      return knownSeq === seq ? { grant, seq } : { grant, seq, table };
    },
    ledgerDeployment: async (workerId) => ({ current: deploymentOf(workerId) }),
    ledgerRouting: async () => ({ seq: state.seq, table: state.table }),
    previewVersion: async () => null,
    assets: async () => null,
    assetFallbacks: async () => "[]",
    assetBytes: async () => null,
    tailEvents: async () => undefined,
    version: async () => null,
  };
  const down = async () => Promise.reject(new Error("down"));
  const stopped = new StoppedVersions(() => clock.now);
  const current = new CurrentDeployments({
    controlPlane,
    stopped,
    workersDomain: "workers.example",
    now: () => clock.now,
  });
  const scope = { waitUntil: (promise: Promise<unknown>) => void work.push(promise) };
  const resolveWeb = () =>
    current.resolve<WorkerHost | undefined>(
      scope,
      (routing) => routing.workersByName.get("web"),
      (worker) => worker?.workerId ?? null,
    );
  return { clock, state, calls, controlPlane, down, current, stopped, scope, resolveWeb };
}

describe("what is current", () => {
  it("is served with no call at all while the leases on the table and the deployment live", async () => {
    const { calls, clock, resolveWeb } = setUp(LEASE_MS);
    await resolveWeb();
    expect(calls).toEqual(["table -1", "deployment one"]);
    clock.now += LEASE_MS / 2;
    for (let n = 0; n < 3; n++) {
      expect(await resolveWeb()).toMatchObject({
        deployment: { deploymentId: "d-one" },
        via: "lease",
        staleMs: 0,
      });
    }
    expect(calls.length).toBe(2);
  });

  it("is asked for on every request without leases; an unchanged table is not sent again", async () => {
    const { calls, current, scope, resolveWeb } = setUp();
    await resolveWeb();
    expect(await resolveWeb()).toMatchObject({ via: "ask" });
    // The second time both are asked at once.
    expect(calls).toEqual(["table -1", "deployment one", "deployment one", "table 1"]);
    expect(await current.currentRouting(scope)).toBe(current.lastSeenRouting());
  });

  it("is the new Worker's when the table moved while its old Worker was asked", async () => {
    const { state, calls, resolveWeb } = setUp();
    await resolveWeb();
    Object.assign(state, { seq: 2, table: tableOf(TWO) });
    expect((await resolveWeb()).deployment?.deploymentId).toBe("d-two");
    expect(calls.slice(2)).toEqual(["deployment one", "table 1", "deployment two"]);
  });

  it("does not fall with the old Worker's failure", async () => {
    const { state, controlPlane, down, resolveWeb } = setUp();
    await resolveWeb();
    Object.assign(state, { seq: 2, table: tableOf(TWO) });
    const healthy = { ...controlPlane };
    controlPlane.leaseDeployment = async (workerId) =>
      workerId === ONE ? down() : healthy.leaseDeployment(workerId);
    controlPlane.ledgerDeployment = down;
    expect((await resolveWeb()).deployment?.deploymentId).toBe("d-two");
  });

  it("is nothing where the table names no Worker, and no Worker is asked", async () => {
    const { calls, current, scope } = setUp(LEASE_MS);
    const found = await current.resolve(
      scope,
      () => "nothing",
      () => null,
    );
    expect(found).toEqual({ target: "nothing", deployment: null, via: "ask", staleMs: 0 });
    expect(calls).toEqual(["table -1"]);
  });

  it("is not known when the control plane calls a table current that was never sent", async () => {
    const { controlPlane, down, resolveWeb } = setUp();
    controlPlane.leaseRouting = async () => ({
      grant: { kind: "serve", seq: 7, leaseMs: LEASE_MS },
      seq: 7,
    });
    controlPlane.ledgerRouting = down;
    await expect(resolveWeb()).rejects.toThrow(ControlPlaneUnavailable);
  });
});

describe("a gateway that is cut off", () => {
  it.each(["leaseRouting", "leaseDeployment"] as const)(
    "without %s is told by the ledger, and says so",
    async (question) => {
      const { controlPlane, down, resolveWeb } = setUp();
      controlPlane[question] = down;
      expect(await resolveWeb()).toMatchObject({
        deployment: { deploymentId: "d-one" },
        via: "ledger",
        staleMs: 0,
      });
    },
  );

  it.each([
    ["table", "leaseRouting", "ledgerRouting"],
    ["deployment", "leaseDeployment", "ledgerDeployment"],
  ] as const)(
    "from both ways to the %s says how old what it serves is, and stops in time",
    async (_, lock, ledger) => {
      const { clock, controlPlane, down, resolveWeb } = setUp();
      await resolveWeb();
      Object.assign(controlPlane, { [lock]: down, [ledger]: down });
      clock.now += STALE_MS_DEFAULT;
      expect(await resolveWeb()).toMatchObject({
        deployment: { deploymentId: "d-one" },
        via: "last-known",
        staleMs: STALE_MS_DEFAULT,
      });
      clock.now++;
      await expect(resolveWeb()).rejects.toThrow(ControlPlaneUnavailable);
    },
  );

  it.each([
    ["table", "leaseRouting", "ledgerRouting"],
    ["deployment", "leaseDeployment", "ledgerDeployment"],
  ] as const)(
    "from both ways to the %s serves nothing of a Worker that refuses to be stale",
    async (_, lock, ledger) => {
      const { state, controlPlane, down, resolveWeb } = setUp();
      state.settings = REFUSE;
      await resolveWeb();
      Object.assign(controlPlane, { [lock]: down, [ledger]: down });
      await expect(resolveWeb()).rejects.toThrow(ControlPlaneUnavailable);
    },
  );

  it("serves nothing old of a Worker whose lock has never told it whether it may", async () => {
    const { controlPlane, down, resolveWeb } = setUp();
    controlPlane.leaseDeployment = down;
    expect((await resolveWeb()).via).toBe("ledger");
    controlPlane.ledgerDeployment = down;
    await expect(resolveWeb()).rejects.toThrow(ControlPlaneUnavailable);
  });

  it("that has caught up before serves what was current then, of the table and of each Worker", async () => {
    const { state, controlPlane, down, current, scope, resolveWeb } = setUp();
    await resolveWeb();
    state.seq = 2;
    const [web] = tableOf(ONE).workers;
    state.table = { ...tableOf(ONE), workers: web ? [{ ...web, previewsEnabled: false }] : [] };
    const lease = controlPlane.leaseDeployment.bind(controlPlane);
    controlPlane.leaseDeployment = async (workerId) => {
      const answer = await lease(workerId);
      const deployment = { seq: 2, deploymentId: "d-new" as DeploymentId, versions: [] };
      return { ...answer, grant: { ...answer.grant, seq: 2 }, current: deployment };
    };
    await current.catchUp(scope);
    Object.assign(controlPlane, {
      leaseRouting: down,
      ledgerRouting: down,
      leaseDeployment: down,
      ledgerDeployment: down,
    });
    expect(await resolveWeb()).toMatchObject({
      target: { workerId: ONE, previewsEnabled: false },
      deployment: { deploymentId: "d-new" },
      via: "last-known",
    });
    await expect(current.catchUp(scope)).resolves.toBeUndefined();
  });

  it("serves nothing before it has been told anything", async () => {
    const { controlPlane, down, resolveWeb } = setUp();
    Object.assign(controlPlane, { leaseRouting: down, ledgerRouting: down });
    await expect(resolveWeb()).rejects.toThrow(ControlPlaneUnavailable);
  });
});

describe("versions that may become visible next", () => {
  it("are told once, however often the lock names them", async () => {
    const { state, current, resolveWeb } = setUp();
    const [a, b] = ["a" as VersionId, "b" as VersionId];
    await resolveWeb();
    expect(current.takeUpcoming()).toEqual([]);
    state.upcoming = [a, b];
    await resolveWeb();
    await resolveWeb();
    expect(current.takeUpcoming()).toEqual([
      { workerId: ONE, versionId: a },
      { workerId: ONE, versionId: b },
    ]);
    await resolveWeb();
    expect(current.takeUpcoming()).toEqual([]);
  });

  it("are told again when they come again later", async () => {
    const { state, current, resolveWeb } = setUp();
    for (const upcoming of [["a" as VersionId], [], ["a" as VersionId]]) {
      state.upcoming = upcoming;
      await resolveWeb();
      expect(current.takeUpcoming().length).toBe(upcoming.length);
    }
  });
});

describe("what a lease answer says is stopped", () => {
  const version = "v" as VersionId;
  const stoppedVersion: Stopped = {
    versionId: version,
    reason: "crashed",
    stoppedOn: 1,
    strikes: 2,
  };

  it("is known when the request that asked goes on, and until a later answer", async () => {
    const { state, stopped, resolveWeb } = setUp();
    state.stopped = [stoppedVersion];
    await resolveWeb();
    expect(stopped.find(ONE, version, 1)).toEqual(stoppedVersion);
    state.stopped = [];
    await resolveWeb();
    expect(stopped.find(ONE, version, 1)).toBeNull();
  });

  it("is not undone by an answer to an earlier question that comes later", async () => {
    const { clock, state, controlPlane, stopped, resolveWeb } = setUp();
    await resolveWeb();
    const healthy = { ...controlPlane };
    const late = Promise.withResolvers<void>();
    controlPlane.leaseDeployment = async (workerId) => {
      const answer = await healthy.leaseDeployment(workerId);
      await late.promise;
      return answer;
    };
    const first = resolveWeb();
    await Promise.resolve();
    Object.assign(controlPlane, healthy);
    state.stopped = [stoppedVersion];
    // So old that nobody waits for it any more.
    clock.now += ASK_MS_MAX + 1;
    await resolveWeb();
    expect(stopped.find(ONE, version, 1)).toEqual(stoppedVersion);
    late.resolve();
    await first;
    expect(stopped.find(ONE, version, 1)).toEqual(stoppedVersion);
  });

  it("is not learned from a lock that is being replaced", async () => {
    const { state, controlPlane, stopped, resolveWeb } = setUp();
    const healthy = { ...controlPlane };
    controlPlane.leaseDeployment = async (workerId) => ({
      ...(await healthy.leaseDeployment(workerId)),
      grant: { kind: "refuse" },
    });
    state.stopped = [stoppedVersion];
    await resolveWeb();
    expect(stopped.find(ONE, version, 1)).toBeNull();
  });
});

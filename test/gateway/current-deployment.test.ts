import { describe, expect, it } from "vitest";
import type { CurrentDeployment } from "../../src/domain/deployment.ts";
import type { DeploymentId, WorkerId } from "../../src/domain/ids.ts";
import { CONTROL_PLANE_TRIES_MAX } from "../../src/domain/limits.ts";
import type { RouteTable, WorkerHost } from "../../src/domain/route-table.ts";
import type { ControlPlane } from "../../src/gateway/control-plane.ts";
import { askEachTime } from "../../src/gateway/current-deployment.ts";
import { ControlPlaneUnavailable } from "../../src/gateway/gateway-errors.ts";

const tableOf = (workerId: string): RouteTable => ({
  workers: [{ workerId: workerId as WorkerId, name: "web", enabled: true, previewsEnabled: true }],
  routes: [],
  domains: [],
});

function setUp() {
  const state = { seq: 1, table: tableOf("one") };
  const calls: string[] = [];
  const controlPlane: ControlPlane = {
    async currentDeployment(workerId) {
      calls.push(`deployment ${workerId}`);
      return { seq: 1, deploymentId: `d-${workerId}` as DeploymentId, versions: [] };
    },
    async routeTable(knownSeq) {
      calls.push(`table ${knownSeq}`);
      return knownSeq === state.seq ? { seq: state.seq } : { ...state };
    },
    previewVersion: async () => null,
    version: async () => null,
  };
  const current = askEachTime(controlPlane, "workers.example");
  const resolveWeb = () =>
    current.resolve<WorkerHost | undefined>(
      (routing) => routing.workersByName.get("web"),
      (worker) => worker?.workerId ?? null,
    );
  return { state, calls, controlPlane, current, resolveWeb };
}

describe("what is current", () => {
  it("is asked for on every request; an unchanged table is not sent again", async () => {
    const { calls, current, resolveWeb } = setUp();
    await resolveWeb();
    await resolveWeb();
    expect(calls).toEqual(["table -1", "deployment one", "deployment one", "table 1"]);
    expect(await current.currentRouting()).toBe(current.lastSeenRouting());
  });

  it("is the new Worker's when the table moved while its old Worker was asked", async () => {
    const { state, calls, resolveWeb } = setUp();
    await resolveWeb();
    Object.assign(state, { seq: 2, table: tableOf("two") });
    expect((await resolveWeb()).deployment?.deploymentId).toBe("d-two");
    expect(calls.slice(2)).toEqual(["deployment one", "table 1", "deployment two"]);
  });

  it("does not fall with the old Worker's failure", async () => {
    const { state, controlPlane, resolveWeb } = setUp();
    await resolveWeb();
    Object.assign(state, { seq: 2, table: tableOf("two") });
    const healthy = { ...controlPlane };
    controlPlane.currentDeployment = async (workerId) =>
      workerId === ("one" as WorkerId)
        ? Promise.reject(new Error("gone"))
        : healthy.currentDeployment(workerId);
    expect((await resolveWeb()).deployment?.deploymentId).toBe("d-two");
  });

  it("is not known when the control plane fails: nothing old is given instead", async () => {
    const { controlPlane, resolveWeb } = setUp();
    await resolveWeb();
    controlPlane.routeTable = async () => Promise.reject(new Error("down"));
    await expect(resolveWeb()).rejects.toThrow(ControlPlaneUnavailable);
  });

  it("is not known when the control plane calls a table current that was never sent", async () => {
    const { controlPlane, resolveWeb } = setUp();
    const healthy = { ...controlPlane };
    const unsent = async () => ({ seq: 7 });
    controlPlane.routeTable = unsent;
    await expect(resolveWeb()).rejects.toThrow(ControlPlaneUnavailable);
    controlPlane.routeTable = (knownSeq) => healthy.routeTable(knownSeq);
    await resolveWeb();
    controlPlane.routeTable = unsent;
    await expect(resolveWeb()).rejects.toThrow(ControlPlaneUnavailable);
  });

  it("keeps the newer of two tables that arrive in the wrong order", async () => {
    const { controlPlane, current } = setUp();
    const replies: ((table: { seq: number; table: RouteTable }) => void)[] = [];
    controlPlane.routeTable = () => new Promise((resolve) => replies.push(resolve));
    const [early, late] = [current.currentRouting(), current.currentRouting()];
    replies[1]!({ seq: 2, table: tableOf("two") });
    await late;
    replies[0]!({ seq: 1, table: tableOf("one") });
    await early;
    expect(current.lastSeenRouting()?.workersByName.get("web")?.workerId).toBe("two");
  });
});

describe("a question that fails", () => {
  const failing = (error: Error, times: number) => {
    const { controlPlane, current } = setUp();
    let tries = 0;
    const answer: CurrentDeployment = {
      seq: 1,
      deploymentId: "d" as DeploymentId,
      versions: [],
    };
    controlPlane.currentDeployment = async () => {
      if (++tries <= times) throw error;
      return answer;
    };
    return { ask: () => current.currentDeployment("w" as WorkerId), tries: () => tries };
  };
  const withMarks = (marks: object) => Object.assign(new Error("failed"), marks);

  it.each([{ retryable: true }, { durableObjectReset: true }])(
    "is asked again when the error says %j",
    async (marks) => {
      const { ask, tries } = failing(withMarks(marks), 1);
      expect(await ask()).toMatchObject({ deploymentId: "d" });
      expect(tries()).toBe(2);
    },
  );

  it("is asked a few times only", async () => {
    const { ask, tries } = failing(withMarks({ retryable: true }), 99);
    await expect(ask()).rejects.toThrow(ControlPlaneUnavailable);
    expect(tries()).toBe(CONTROL_PLANE_TRIES_MAX);
  });

  it.each([{}, { retryable: true, overloaded: true }, { overloaded: true }])(
    "is not asked again when the error says %j",
    async (marks) => {
      const { ask, tries } = failing(withMarks(marks), 1);
      await expect(ask()).rejects.toThrow(ControlPlaneUnavailable);
      expect(tries()).toBe(1);
    },
  );
});

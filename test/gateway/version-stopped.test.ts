import { describe, expect, it } from "vitest";
import type { StopReason, Stopped } from "../../src/domain/breaker.ts";
import type { VersionId } from "../../src/domain/ids.ts";
import { STOPPED_RETRY_AFTER_SECONDS } from "../../src/domain/limits.ts";
import { answering, fakeSwitchback } from "./fake-control-plane.ts";

const HOST = "http://web.workers.example/";
const stoppedOf = (versionId: VersionId, reason: StopReason = "blocked"): Stopped => ({
  versionId,
  reason,
  stoppedOn: 1,
  strikes: 2,
});

/** Two versions of `web`, `"v1"` and `"v2"`, with these shares. */
function web(shares: readonly [number, number], options = {}) {
  const switchback = fakeSwitchback(options);
  const workerId = switchback.worker("web");
  const v1 = switchback.version(workerId, answering(`"v1"`));
  const v2 = switchback.version(workerId, answering(`"v2"`));
  const deploy = (a: number, b: number) => switchback.deploy(workerId, [v1, a], [v2, b]);
  deploy(...shares);
  const visit = async (url = HOST, init?: RequestInit) => {
    const response = await switchback.fetch(url, init);
    return response.headers.get("x-switchback-error") ?? (await response.text());
  };
  return { ...switchback, workerId, v1, v2, visit, deployShares: deploy };
}

describe("a stopped version", () => {
  it.each(["blocked", "crashed", "memory"] as const)(
    "(%s) is not run: 503 with the reason, what to do, when to come back and a request id",
    async (reason) => {
      const { fetch, setStopped, workerId, v1, versions } = web([100, 0]);
      setStopped(workerId, stoppedOf(v1, reason));
      versions.clear();
      const response = await fetch(HOST, { headers: { accept: "text/html" } });
      expect(response.status).toBe(503);
      expect(response.headers.get("x-switchback-error")).toBe("version_stopped");
      expect(response.headers.get("retry-after")).toBe(String(STOPPED_RETRY_AFTER_SECONDS));
      const text = await response.text();
      expect(text).toContain(`Version ${v1} was stopped, because it repeatedly`);
      expect(text).toContain("Roll back, or deploy again.");
      expect(text).toContain(response.headers.get("x-request-id")!);
    },
  );

  it("in a split costs its own share alone, whether by chance or by override", async () => {
    const point = { value: 0 };
    const { visit, setStopped, workerId, v2 } = web([50, 50], { random: () => point.value });
    const both = async () => {
      const answers = new Set<string>();
      for (const value of [0.1, 0.9]) {
        point.value = value;
        answers.add(await visit());
      }
      return answers;
    };
    expect(await both()).toEqual(new Set(["v1", "v2"]));
    setStopped(workerId, stoppedOf(v2));
    expect(await both()).toEqual(new Set(["v1", "version_stopped"]));
    const headers = { "cloudflare-workers-version-overrides": `web="${v2}"` };
    expect(await visit(HOST, { headers })).toBe("version_stopped");
  });

  it("serves again when the lock says that it is stopped no more", async () => {
    const { visit, setStopped, workerId, v1 } = web([100, 0]);
    setStopped(workerId, stoppedOf(v1));
    expect(await visit()).toBe("version_stopped");
    setStopped(workerId);
    expect(await visit()).toBe("v1");
  });

  it("stays stopped while lock and ledger are out of reach", async () => {
    const { visit, setStopped, workerId, v1, cut } = web([100, 0]);
    setStopped(workerId, stoppedOf(v1));
    expect(await visit()).toBe("version_stopped");
    cut("lock");
    expect(await visit()).toBe("version_stopped");
    cut("ledger");
    expect(await visit()).toBe("version_stopped");
  });

  it("is not run on its preview host; other previews are", async () => {
    const { visit, setStopped, workerId, v1, v2, previews } = web([100, 0]);
    previews.set(`one-${workerId}`, v1).set(`two-${workerId}`, v2);
    setStopped(workerId, stoppedOf(v2));
    expect(await visit("http://one-web.workers.example/")).toBe("v1");
    expect(await visit("http://two-web.workers.example/")).toBe("version_stopped");
  });

  it("fails calls over service bindings with the same reason", async () => {
    const { gateway, scope, setStopped, workerId, v1 } = web([100, 0]);
    setStopped(workerId, stoppedOf(v1));
    const props = { callerWorkerId: "caller", binding: "WEB", workerName: "web" };
    const call = gateway.callService(scope, props, {
      headers: null,
      replayable: false,
      call: (entrypoint) => entrypoint.fetch(HOST),
    });
    await expect(call).rejects.toThrow(
      `Service binding "WEB": Version ${v1} was stopped, because it repeatedly blocked the process`,
    );
  });
});

describe("the host's word that a version is to be stopped", () => {
  it("holds before the lock says so: on hosts, previews and service bindings", async () => {
    const { gateway, scope, visit, setLeases, workerId, v1, previews } = web([100, 0]);
    setLeases(60_000);
    previews.set(`one-${workerId}`, v1);
    expect(await visit()).toBe("v1");
    gateway.stop(workerId, stoppedOf(v1));
    expect(await visit()).toBe("version_stopped");
    expect(await visit("http://one-web.workers.example/")).toBe("version_stopped");
    const props = { callerWorkerId: "caller", binding: "WEB", workerName: "web" };
    const call = gateway.callService(scope, props, {
      headers: null,
      replayable: false,
      call: (entrypoint) => entrypoint.fetch(HOST),
    });
    await expect(call).rejects.toThrow(/was stopped/);
  });

  it("holds at a gateway that has never heard of the Worker", async () => {
    const { gateway, visit, workerId, v1 } = web([100, 0]);
    gateway.stop(workerId, stoppedOf(v1));
    expect(await visit()).toBe("version_stopped");
    expect(await visit()).toBe("version_stopped");
  });

  it("is void with the next deployment, of the same version too", async () => {
    const { gateway, visit, workerId, v1, deployShares } = web([100, 0]);
    expect(await visit()).toBe("v1");
    gateway.stop(workerId, stoppedOf(v1));
    expect(await visit()).toBe("version_stopped");
    deployShares(100, 0);
    expect(await visit()).toBe("v1");
  });
});

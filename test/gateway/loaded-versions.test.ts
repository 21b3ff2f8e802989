import { describe, expect, it } from "vitest";
import type { VersionId, WorkerId } from "../../src/domain/ids.ts";
import { LOADED_VERSIONS_MAX } from "../../src/domain/limits.ts";
import { LoadedVersions } from "../../src/gateway/loaded-versions.ts";
import { loadable } from "./fake-control-plane.ts";

const worker = "w" as WorkerId;
const version = (n: number) => loadable("", { workerId: worker, id: `v${n}` as VersionId });

describe("what a gateway has loaded", () => {
  it("is no more than its cap: the least recently used goes first", () => {
    const loaded = new LoadedVersions("g");
    for (let n = 0; n < LOADED_VERSIONS_MAX; n++) loaded.add(version(n), 0);
    expect(loaded.takeEvictable(0)).toEqual([]);
    loaded.find(worker, "v0" as VersionId);
    loaded.add(version(LOADED_VERSIONS_MAX), 0);
    expect(loaded.takeEvictable(0).map((entry) => entry.versionId)).toEqual(["v1"]);
    expect(loaded.size).toBe(LOADED_VERSIONS_MAX);
  });

  it("never goes while a request is in flight", () => {
    const loaded = new LoadedVersions("g");
    for (let n = 0; n <= LOADED_VERSIONS_MAX; n++) loaded.add(version(n), 0).inFlight = 1;
    expect(loaded.takeEvictable(0)).toEqual([]);
  });

  it("never uses an id again that was given up or unloaded", () => {
    const loaded = new LoadedVersions("g");
    const first = loaded.add(version(1), 0);
    loaded.giveUp(first);
    loaded.giveUp(first);
    const second = loaded.add(version(1), 0);
    expect([first.loaderId.at(-1), second.loaderId.at(-1)]).toEqual(["0", "1"]);
    expect(loaded.takeEvictable(Number.MAX_SAFE_INTEGER)).toEqual([first, second]);
    expect(loaded.add(version(1), 0).loaderId.at(-1)).toBe("2");
  });

  it("is not found any more once it was given up or unloaded", () => {
    const loaded = new LoadedVersions("g");
    const find = () => loaded.find(worker, "v1" as VersionId);
    loaded.giveUp(loaded.add(version(1), 0));
    expect(find()).toBeNull();
    const second = loaded.add(version(1), 0);
    expect(find()).toBe(second);
    loaded.takeEvictable(Number.MAX_SAFE_INTEGER);
    expect(find()).toBeNull();
  });

  it("keeps an older deployment from overruling a newer one", () => {
    const loaded = new LoadedVersions("g");
    const deployment = (seq: number, n: number) => ({
      seq,
      deploymentId: "d" as never,
      versions: [{ versionId: `v${n}` as VersionId, number: n, percentage: 100 }],
    });
    loaded.add(version(2), 0);
    loaded.noteDeployment(worker, deployment(2, 2));
    loaded.noteDeployment(worker, deployment(1, 1));
    expect(loaded.takeEvictable(Number.MAX_SAFE_INTEGER)).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import type { VersionId, WorkerId } from "../../src/domain/ids.ts";
import {
  LOADED_VERSIONS_MAX,
  RETIRED_VERSION_KEEP_MS,
  VERSION_IDLE_MS,
} from "../../src/domain/limits.ts";
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

  it("goes for the cap's sake only while it is in use: what was given up leaves when it is quiet", () => {
    const loaded = new LoadedVersions("g");
    for (let n = 0; n <= LOADED_VERSIONS_MAX; n++) loaded.add(version(n), 0).inFlight = 1;
    const failed = loaded.add(version(LOADED_VERSIONS_MAX + 1), 0);
    loaded.giveUp(failed);
    expect(loaded.takeEvictable(0)).toEqual([]);
    expect(loaded.takeEvictable(RETIRED_VERSION_KEEP_MS)).toEqual([failed]);
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

  it("is loaded a second time for whoever tails it, and that one goes when nobody does", () => {
    const loaded = new LoadedVersions("g");
    const id = "v1" as VersionId;
    const plain = loaded.add(version(1), 0);
    expect(loaded.find(worker, id, "tailed")).toBeNull();
    const tailed = loaded.add(version(1), 0, "tailed");
    expect([loaded.find(worker, id), loaded.find(worker, id, "tailed")]).toEqual([plain, tailed]);
    const objects = loaded.add(version(1), 0, "objects");
    expect(new Set([plain, tailed, objects].map(({ loaderId }) => loaderId)).size).toBe(3);
    loaded.endTail(worker);
    expect([loaded.find(worker, id), loaded.find(worker, id, "tailed")]).toEqual([plain, null]);
    expect(loaded.takeEvictable(RETIRED_VERSION_KEEP_MS - 1)).toEqual([]);
    loaded.noteDeployment(worker, deployed(1));
    expect(loaded.takeEvictable(RETIRED_VERSION_KEEP_MS * 2)).toEqual([tailed]);
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

  const ids = (entries: readonly { readonly versionId: VersionId }[]) =>
    entries.map((entry) => entry.versionId);
  const deployed = (...numbers: number[]) => ({
    seq: 1,
    deploymentId: "d" as never,
    versions: numbers.map((n) => ({ versionId: `v${n}` as VersionId, number: n, percentage: 1 })),
  });

  it("goes when nobody has used it: soon outside the deployment, after a long while in it", () => {
    const loaded = new LoadedVersions("g");
    for (const n of [1, 2, 3]) loaded.add(version(n), 0);
    loaded.noteDeployment(worker, deployed(1, 2));
    loaded.find(worker, "v2" as VersionId)!.usedAt = 10;
    expect(ids(loaded.takeIdle(RETIRED_VERSION_KEEP_MS - 1))).toEqual([]);
    expect(ids(loaded.takeIdle(RETIRED_VERSION_KEEP_MS))).toEqual(["v3"]);
    expect(ids(loaded.takeIdle(VERSION_IDLE_MS - 1))).toEqual([]);
    expect(ids(loaded.takeIdle(VERSION_IDLE_MS))).toEqual(["v1"]);
    expect(ids(loaded.takeIdle(VERSION_IDLE_MS + 10))).toEqual(["v2"]);
  });

  it("goes when memory is short: all outside the deployments, half of the rest, the longest unused first", () => {
    const loaded = new LoadedVersions("g");
    for (const n of [1, 2, 3, 4, 5, 6]) loaded.add(version(n), 0);
    loaded.giveUp(loaded.add(version(7), 0));
    loaded.noteDeployment(worker, deployed(1, 2, 3, 4, 5, 7));
    loaded.find(worker, "v1" as VersionId);
    expect(ids(loaded.takeSpare())).toEqual(["v7", "v2", "v3", "v6"]);
    expect(loaded.size).toBe(3);
  });

  it("leaves what answers a request even then, and the last that is current", () => {
    const loaded = new LoadedVersions("g");
    loaded.add(version(1), 0).inFlight = 1;
    loaded.noteDeployment(worker, deployed(2));
    expect(loaded.takeSpare()).toEqual([]);
    expect(loaded.takeIdle(Number.MAX_SAFE_INTEGER)).toEqual([]);
    const one = new LoadedVersions("g");
    one.add(version(1), 0);
    one.noteDeployment(worker, deployed(1));
    expect(one.takeSpare()).toEqual([]);
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

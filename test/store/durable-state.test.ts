import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Deployment } from "../../src/domain/deployment.ts";
import type { VersionDurable } from "../../src/domain/durable-migration.ts";
import type { DeploymentId, WorkerId } from "../../src/domain/ids.ts";
import type { Database } from "../../src/store/database.ts";
import {
  abortDeployment,
  activateDeployments,
  commitDeployment,
} from "../../src/store/deployments.ts";
import { forgetNamespace, listDeletedNamespaces } from "../../src/store/durable-namespaces.ts";
import { findDurable, findGiven, findGivers } from "../../src/store/durable-state.ts";
import { accountId, author, freshDatabase, newUuid, storedVersion } from "../support/fixtures.ts";
import { createdWorker } from "../support/fixtures.ts";

let db: Database;
beforeAll(async () => {
  db = await freshDatabase();
});

const made = (tag: string, classes: Record<string, string>): VersionDurable => ({
  tag,
  classes: Object.entries(classes).map(([className, digit]) => ({
    className,
    namespaceId: digit.repeat(32),
    usesSqlite: true,
  })),
  base: null,
});

/** A deployment of a version made for these classes, up to its row in the history. */
async function committed(workerId: WorkerId, seq: number, durable: VersionDurable | undefined) {
  const version = await storedVersion(workerId, durable === undefined ? {} : { durable });
  const deployment: Deployment = {
    id: newUuid() as DeploymentId,
    workerId,
    seq,
    createdOn: seq,
    triggeredBy: "upload",
    message: "",
    author,
    versions: [{ versionId: version.id, percentage: 100 }],
  };
  const intentId = newUuid();
  const entry = { id: deployment.id, at: 1, actorId: "", actorEmail: "", action: "", target: "" };
  const written = { ...entry, details: {} };
  expect(await commitDeployment(db, accountId, deployment, intentId, written)).toBe(true);
  return { deployment, intentId };
}

const liveOf = async (workerId: WorkerId) => {
  const { results } = await env.DB.prepare(
    "SELECT class_name AS name, substr(id, 1, 1) AS id FROM durable_namespaces WHERE worker_id = ? AND deleted_on IS NULL ORDER BY 1",
  )
    .bind(workerId)
    .all<{ name: string; id: string }>();
  const row = await env.DB.prepare("SELECT migration_tag AS tag FROM workers WHERE id = ?")
    .bind(workerId)
    .first<{ tag: string | null }>();
  return [row?.tag, ...results.map(({ name, id }) => `${name}=${id}`)];
};

describe("the classes of a Worker", () => {
  it("are those of its newest deployment that took effect, however often that is written down", async () => {
    const { id } = await createdWorker("ds-steps");
    await committed(id, 1, made("v1", { A: "a", B: "b" }));
    expect(await liveOf(id)).toEqual([null]);
    for (let times = 0; times < 2; times++) {
      await activateDeployments(db, id, 1, 10, []);
      expect(await liveOf(id)).toEqual(["v1", "A=a", "B=b"]);
    }
    // B's name goes to A's objects, A's to new ones, and B's objects go.
    await committed(id, 2, made("v2", { B: "a", A: "c" }));
    expect(await liveOf(id)).toEqual(["v1", "A=a", "B=b"]);
    await activateDeployments(db, id, 2, 20, []);
    expect(await liveOf(id)).toEqual(["v2", "A=c", "B=a"]);
  });

  it("stay when a deployment is given up, and when a version says nothing of classes", async () => {
    const { id } = await createdWorker("ds-abort");
    await committed(id, 1, made("v1", { A: "d" }));
    await activateDeployments(db, id, 1, 10, []);
    const { deployment, intentId } = await committed(id, 2, made("v2", {}));
    await abortDeployment(db, deployment, intentId);
    expect(await liveOf(id)).toEqual(["v1", "A=d"]);
    await committed(id, 3, undefined);
    await activateDeployments(db, id, 3, 30, []);
    expect(await liveOf(id)).toEqual(["v1", "A=d"]);
  });

  it("that have gone to another Worker stay its own, whatever older versions of the giver say", async () => {
    const giver = await createdWorker("ds-giver");
    const receiver = await createdWorker("ds-receiver");
    const had = made("v1", { A: "6", B: "7" });
    await committed(giver.id, 1, had);
    await activateDeployments(db, giver.id, 1, 10, []);
    const [a] = had.classes;
    const received = { home: giver.id, transfers: 1, from: giver.id };
    const taken = { tag: "t1", base: null, classes: [{ ...a!, className: "C", received }] };
    const { deployment } = await committed(receiver.id, 1, taken);
    await activateDeployments(db, receiver.id, 1, 20, []);
    // The giver's old version is deployed once more.
    const old = await committed(giver.id, 2, had);
    await activateDeployments(db, giver.id, 2, 30, []);
    expect(await liveOf(giver.id)).toEqual(["v1", "B=7"]);
    expect(await liveOf(receiver.id)).toEqual(["t1", "C=6"]);
    const versionOf = (of: Deployment) => of.versions[0]!.versionId;
    const find = await findDurable(db, [versionOf(old.deployment), versionOf(deployment)]);
    expect(find(versionOf(old.deployment)).classes).toEqual([had.classes[1]]);
    expect(find(versionOf(deployment))).toEqual(taken);
    expect(await findGiven(db, giver.id)).toEqual({
      [a!.namespaceId]: { workerId: receiver.id, transfers: 1 },
    });
    expect(await findGiven(db, receiver.id)).toEqual({});
    expect(await findGivers(db, [versionOf(deployment)])).toEqual([giver.id]);

    // Nor somebody's who wanted it at the same time, and was late.
    const late = await createdWorker("ds-late");
    const lateOne = await committed(late.id, 1, taken);
    await activateDeployments(db, late.id, 1, 35, []);
    expect(await liveOf(late.id)).toEqual(["t1"]);
    expect(await findGiven(db, late.id)).toEqual(await findGiven(db, giver.id));
    const lateId = versionOf(lateOne.deployment);
    expect((await findDurable(db, [lateId]))(lateId).classes).toEqual([]);

    // Nor when it is erased and forgotten.
    await committed(receiver.id, 2, made("t2", {}));
    await activateDeployments(db, receiver.id, 2, 40, []);
    expect(await listDeletedNamespaces(db, 9)).toContainEqual({
      id: a!.namespaceId,
      home: giver.id,
    });
    await forgetNamespace(db, a!.namespaceId, 50);
    await activateDeployments(db, giver.id, 2, 60, []);
    expect(await liveOf(giver.id)).toEqual(["v1", "B=7"]);
    expect(JSON.stringify(await listDeletedNamespaces(db, 9))).not.toContain(a!.namespaceId);
  });

  it("that a version was made for come back as they were stored, and are no setting of it", async () => {
    const { id } = await createdWorker("ds-version");
    const durable = made("v1", { A: "e" });
    const version = await storedVersion(id, { durable, settings: { limits: { cpu_ms: 5 } } });
    expect((await findDurable(db, [version.id]))(version.id)).toEqual(durable);
    expect(version.settings).toEqual({ limits: { cpu_ms: 5 } });
  });
});

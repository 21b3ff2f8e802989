/**
 * Each rule when it becomes true between the door and the lock: the door has let the call pass, the world changes, and the
 * lock refuses in the very words that the door has for it from then on. Nothing has changed but the world.
 */
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { WorkerLockCalls } from "../../src/control/context.ts";
import type { WorkerId } from "../../src/domain/ids.ts";
import type { ProbeResult } from "../../src/domain/version.ts";
import {
  ACCOUNT,
  addVersion,
  apiClient,
  deployedWorker,
  SCRIPTS,
  split,
  stateOf,
  uploadBody,
  type Client,
} from "../api/api-fixture.ts";
import { workerLock } from "../support/fixtures.ts";

/** Happens once, when the next call has passed the door. */
let meanwhile: (() => Promise<unknown>) | null = null;
/** How many calls have come to a lock. */
let begun = 0;

function delayedLock(id: WorkerId): WorkerLockCalls {
  const lock = workerLock(id);
  return new Proxy(lock, {
    get:
      (_, name: keyof WorkerLockCalls) =>
      async (...args: unknown[]) => {
        if (name === "begin") {
          begun += 1;
          const change = meanwhile;
          meanwhile = null;
          await change?.();
        }
        return (lock[name] as (...given: unknown[]) => unknown)(...args);
      },
  });
}

/** Starting a version shows the classes that its text exports. */
const probe = (version: { modules: readonly { bytes: Uint8Array }[] }): Promise<ProbeResult> => {
  const code = version.modules.map(({ bytes }) => new TextDecoder().decode(bytes)).join("\n");
  const names = [...code.matchAll(/export class (\w+)/g)].map(([, name]) => name ?? "");
  const namedHandlers = names.map((name) => ({ name, handlers: ["class"] }));
  return Promise.resolve({ ok: true, startupTimeMs: 1, handlers: ["fetch"], namedHandlers });
};

let client: Client;
let workers = 0;
let name: string;
let path: string;
beforeAll(async () => {
  client = await apiClient({ workerLock: delayedLock, probe });
});
beforeEach(() => {
  workers += 1;
  name = `racing-${workers}`;
  path = `${SCRIPTS}/${name}`;
});

/** What has to go well for the test to say anything. */
async function done(method: string, at: string, body?: unknown) {
  const answer = await client.call(method, at, body);
  expect(answer.errors, `${method} ${at}`).toEqual([]);
  return answer.result;
}

const withClasses = (names: readonly string[], metadata: Record<string, unknown>) =>
  uploadBody(metadata, {
    "index.js": `${names.map((each) => `export class ${each} {}`).join("\n")}\nexport default {};`,
  });
const putSecret = async (text: string): Promise<string> => {
  await done("PUT", `${path}/secrets`, { name: "KEY", text, type: "secret_text" });
  const { deployments } = await done("GET", `${path}/deployments`);
  return deployments[0].versions[0].version_id;
};

interface Call {
  readonly shares: readonly (readonly [versionId: string, percentage: number])[];
  readonly query?: string;
  readonly headers?: Record<string, string>;
}

/** The door lets the call pass, `change` comes, and the lock refuses with these codes, the decisive one first. */
async function isRefusedAfter(
  change: () => Promise<unknown>,
  codes: readonly number[],
  { shares, query = "?force=true", headers = {} }: Call,
) {
  const call = () => client.call("POST", `${path}/deployments${query}`, split(...shares), headers);
  let state: unknown;
  meanwhile = async () => {
    await change();
    state = await stateOf(client, path);
    begun = 0;
  };
  const atTheLock = await call();
  expect(state, "the door let it pass").toBeDefined();
  expect(begun).toBe(0);
  expect(atTheLock.errors.map(({ code }) => code)).toEqual(codes);
  expect(await stateOf(client, path)).toEqual(state);

  const atTheDoor = await call();
  expect(begun, "now the door refuses it").toBe(0);
  expect(atTheDoor.status).toBe(atTheLock.status);
  expect(atTheDoor.errors).toEqual(atTheLock.errors);
  expect(await stateOf(client, path)).toEqual(state);
}

/** Something that a version can be bound to, and that another call takes away. */
const RESOURCES: Readonly<Record<string, () => Promise<{ binding: object; gone: string }>>> = {
  "a KV namespace": async () => {
    const { id } = await done("POST", `${ACCOUNT}/storage/kv/namespaces`, { title: name });
    const gone = `${ACCOUNT}/storage/kv/namespaces/${id}`;
    return { binding: { type: "kv_namespace", namespace_id: id }, gone };
  },
  "an R2 bucket": async () => {
    await done("POST", `${ACCOUNT}/r2/buckets`, { name });
    const gone = `${ACCOUNT}/r2/buckets/${name}`;
    return { binding: { type: "r2_bucket", bucket_name: name }, gone };
  },
  "a queue": async () => {
    const { queue_id } = await done("POST", `${ACCOUNT}/queues`, { queue_name: name });
    return { binding: { type: "queue", queue_name: name }, gone: `${ACCOUNT}/queues/${queue_id}` };
  },
  "a D1 database": async () => {
    const { uuid } = await done("POST", `${ACCOUNT}/d1/database`, { name });
    return { binding: { type: "d1", id: uuid }, gone: `${ACCOUNT}/d1/database/${uuid}` };
  },
  "a Worker": async () => {
    await deployedWorker(client, `${name}-bound`);
    const gone = `${SCRIPTS}/${name}-bound`;
    return { binding: { type: "service", service: `${name}-bound` }, gone };
  },
  "another Worker's Durable Object class": async () => {
    const other = `${name}-bound`;
    const migrations = { new_tag: "v1", new_sqlite_classes: ["Room"] };
    await done("PUT", `${SCRIPTS}/${other}`, withClasses(["Room"], { migrations }));
    const binding = { type: "durable_object_namespace", class_name: "Room", script_name: other };
    return { binding, gone: `${SCRIPTS}/${other}` };
  },
};

describe("what becomes true between the door and the lock is refused by the lock", () => {
  it("that the version is no more among the most recent ones", async () => {
    const { versionId } = await deployedWorker(client, name);
    await done("PUT", path, uploadBody());
    await done("PUT", `${path}/deployable-versions`, { max: 2 });
    // The limit stays, one more upload pushes the version out of it.
    await isRefusedAfter(() => addVersion(client, path), [130_052], {
      shares: [[versionId, 100]],
    });
  });

  it.each(Object.keys(RESOURCES))("that %s is gone", async (kind) => {
    const { binding, gone } = (await RESOURCES[kind]?.()) ?? expect.fail(kind);
    const bound = { bindings: [{ name: "BOUND", ...binding }] };
    const { versionId } = await deployedWorker(client, name, bound);
    await done("PUT", path, uploadBody());
    await isRefusedAfter(() => done("DELETE", `${gone}?force=true`), [130_053], {
      shares: [[versionId, 100]],
    });
  });

  it("that a version has left the split in which it could keep its share without its bucket", async () => {
    const { binding, gone } = (await RESOURCES["an R2 bucket"]?.()) ?? expect.fail();
    const bound = { bindings: [{ name: "BOUND", ...binding }] };
    const { versionId: one } = await deployedWorker(client, name, bound);
    const two = await addVersion(client, path);
    await done("POST", `${path}/deployments`, split([one, 50], [two, 50]));
    await done("DELETE", `${gone}?force=true`);
    const leave = () => done("POST", `${path}/deployments`, split([two, 100]));
    await isRefusedAfter(leave, [130_053], {
      shares: [
        [one, 10],
        [two, 90],
      ],
    });
  });

  it.each([
    ["makes a class", { new_sqlite_classes: ["Hall"] }, ["Room", "Hall"]],
    ["renames one", { renamed_classes: [{ from: "Room", to: "Hall" }] }, ["Hall"]],
    ["deletes one", { deleted_classes: ["Room"] }, []],
  ])("that a migration lies between, which %s", async (_, migration, classes) => {
    const migrations = { new_tag: "v1", new_sqlite_classes: ["Room"] };
    const first = await done("PUT", path, withClasses(["Room"], { migrations }));
    await done("PUT", path, withClasses(["Room"], {}));
    const migrate = () =>
      done(
        "PUT",
        path,
        withClasses(classes, { migrations: { old_tag: "v1", new_tag: "v2", ...migration } }),
      );
    await isRefusedAfter(migrate, [130_055], { shares: [[first.deployment_id, 100]] });
  });

  it("that a value was revoked which would come back", async () => {
    await deployedWorker(client, name);
    const leaked = await putSecret("leaked");
    await putSecret("fresh");
    await isRefusedAfter(() => done("PUT", `${path}/revoked-secrets/KEY`, {}), [130_054], {
      shares: [[leaked, 100]],
    });
  });

  it("that a secret has another value by now; `force` overrides that alone", async () => {
    await deployedWorker(client, name);
    const one = await putSecret("one");
    await done("PUT", path, uploadBody({ keep_bindings: ["secret_text"] }));
    await isRefusedAfter(() => putSecret("two"), [10_220], { shares: [[one, 100]], query: "" });
    const forced = await done("POST", `${path}/deployments?force=true`, split([one, 100]));
    expect(forced.versions).toMatchObject([{ version_id: one }]);
  });

  it("that the key of its secrets is gone", async () => {
    await deployedWorker(client, name);
    const one = await putSecret("one");
    await putSecret("two");
    const loseKey = () =>
      env.DB.prepare(
        "UPDATE versions SET sealed_secrets = json_set(sealed_secrets, '$.keyId', 'k9') WHERE id = ?",
      )
        .bind(one)
        .run();
    await isRefusedAfter(loseKey, [130_057], { shares: [[one, 100]] });
  });

  it("several of these at once: all are told", async () => {
    const { binding, gone } = (await RESOURCES["an R2 bucket"]?.()) ?? expect.fail();
    const bound = { bindings: [{ name: "BOUND", ...binding }] };
    const { versionId } = await deployedWorker(client, name, bound);
    await done("PUT", path, uploadBody());
    const both = async () => {
      await done("DELETE", `${gone}?force=true`);
      await done("PUT", `${path}/deployable-versions`, { max: 1 });
    };
    await isRefusedAfter(both, [130_052, 130_053], { shares: [[versionId, 100]] });
  });

  it("that another deployment came, when the client has said from which it goes", async () => {
    const { versionId } = await deployedWorker(client, name);
    await done("PUT", path, uploadBody());
    const { deployments } = await done("GET", `${path}/deployments`);
    await isRefusedAfter(() => done("PUT", path, uploadBody()), [130_026], {
      shares: [[versionId, 100]],
      headers: { "if-match": deployments[0].id },
    });
  });

  it("that the Worker is gone", async () => {
    const { versionId } = await deployedWorker(client, name);
    await done("PUT", path, uploadBody());
    await isRefusedAfter(() => done("DELETE", path), [10_007], { shares: [[versionId, 100]] });
  });
});

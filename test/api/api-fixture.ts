/** The API over real storage and real locks; only starting a version is pretended. */
import { createExecutionContext } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { expect } from "vitest";
import { createApi } from "../../src/api/app.ts";
import { AssetTokens } from "../../src/control/asset-tokens.ts";
import type { ObjectsAdministration } from "../../src/control/objects-administration.ts";
import type { ControlContext, CronClockCalls, TailHubCalls } from "../../src/control/context.ts";
import { TailKeys } from "../../src/control/tail-keys.ts";
import { storesOf } from "../../src/data/stores.ts";
import { D1Links } from "../../src/control/d1-links.ts";
import { D1Files } from "../../src/store/d1-files.ts";
import { SecretBox } from "../../src/control/secret-box.ts";
import { R2AssetBlobs } from "../../src/store/asset-blobs.ts";
import { R2BlobStore, sha256Hex } from "../../src/store/blobs.ts";
import { openDatabase } from "../../src/store/database.ts";
import { accountId, freshDatabase, newUuid, routingLock, workerLock } from "../support/fixtures.ts";

export const TOKEN = "root-token-of-the-tests";
export const ACCOUNT = `/client/v4/accounts/${accountId}`;
export const SCRIPTS = `${ACCOUNT}/workers/scripts`;

export interface Envelope {
  readonly success: boolean;
  readonly errors: readonly {
    readonly code: number;
    readonly message: string;
    readonly meta?: unknown;
  }[];
  readonly messages: readonly { readonly code: number; readonly message: string }[];
  // Whatever the route gives: the tests say what they expect of it.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly result: any;
  readonly result_info?: Record<string, unknown>;
}

export interface Answer extends Envelope {
  readonly status: number;
  readonly headers: Headers;
}

export interface Client {
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  raw(method: string, path: string, init?: RequestInit): Promise<Response>;
}

/** A client with the root token; `overrides` replaces parts of what the API is given. */
export async function apiClient(
  overrides: Partial<ControlContext> = {},
  bindings: Partial<Env> = {},
): Promise<Client> {
  await freshDatabase();
  const api = createApi(() => ({ ...testContext(), ...overrides }));
  const allBindings = { ...env, ROOT_TOKEN_SHA256: await sha256Hex(TOKEN), ...bindings };
  const raw: Client["raw"] = (method, path, init = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${TOKEN}`);
    const request = new Request(`http://localhost${path}`, { ...init, method, headers });
    return Promise.resolve(api.fetch(request, allBindings, createExecutionContext() as never));
  };
  return {
    raw,
    async call(method, path, body, headers = {}) {
      const isRaw = typeof body === "string" || body instanceof FormData;
      const response = await raw(method, path, {
        headers,
        ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
      });
      expect(response.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      const envelope = await response.json<Envelope>();
      return { ...envelope, status: response.status, headers: response.headers };
    },
  };
}

/** The main module's own doors, as a Worker calls itself. */
const exportsOfMain = { exports };

const testContext = (): ControlContext => ({
  accountId,
  db: openDatabase(env.DB),
  blobs: new R2BlobStore(env.BLOBS, "modules/"),
  secrets: new SecretBox(env.SECRETS_KEY),
  assetBlobs: new R2AssetBlobs(env.BLOBS, accountId),
  assetTokens: new AssetTokens(env.SECRETS_KEY),
  tailKeys: new TailKeys(env.SECRETS_KEY),
  d1Files: new D1Files(env.BLOBS, "d1/"),
  d1Links: new D1Links(env.SECRETS_KEY),
  stores: storesOf(env, exportsOfMain),
  objects: {
    door: async () => exportsOfMain.exports.ObjectsDoor as unknown as ObjectsAdministration,
  },
  workerLock,
  routingLock,
  cronClock: () => env.CRON_CLOCK.getByName(accountId) as unknown as CronClockCalls,
  tailHub: (id) => env.TAIL_HUB.getByName(id) as unknown as TailHubCalls,
  probe: (version) => {
    const main = version.modules.find((module) => module.name === version.mainModule);
    const code = new TextDecoder().decode(main?.bytes);
    return Promise.resolve(
      code.includes("throw at start")
        ? { ok: false, message: "Uncaught Error: boom\n  at index.js:1:7\n" }
        : { ok: true, startupTimeMs: 3, handlers: ["fetch"], namedHandlers: [] },
    );
  },
  now: () => Date.now(),
  newId: newUuid,
});

export const MODULE = "export default { fetch: () => new Response('hello') };";

/** An upload as wrangler sends it; `metadata` is added to the least that is needed. */
export function uploadBody(
  metadata: Record<string, unknown> = {},
  modules: Record<string, string> = { "index.js": MODULE },
): FormData {
  const form = new FormData();
  const base = { main_module: "index.js", compatibility_date: "2026-10-01" };
  form.append("metadata", JSON.stringify({ ...base, ...metadata }));
  for (const [name, code] of Object.entries(modules)) {
    form.append(name, new File([code], name, { type: "application/javascript+module" }));
  }
  return form;
}

/** A Worker with one version, deployed. */
export async function deployedWorker(client: Client, name: string, metadata = {}) {
  const put = await client.call("PUT", `${SCRIPTS}/${name}`, uploadBody(metadata));
  expect(put.errors).toEqual([]);
  return { path: `${SCRIPTS}/${name}`, versionId: put.result.deployment_id as string };
}

/** One more version, not deployed; its id. */
export async function addVersion(client: Client, path: string, metadata = {}): Promise<string> {
  const posted = await client.call("POST", `${path}/versions`, uploadBody(metadata));
  expect(posted.errors).toEqual([]);
  return posted.result.id as string;
}

/** Everything that a refused call could have changed about a Worker. */
export async function stateOf(client: Client, path: string) {
  const [deployments, versions, settings] = await Promise.all([
    client.call("GET", `${path}/deployments`),
    client.call("GET", `${path}/versions`),
    client.call("GET", `${path}/settings`),
  ]);
  return [deployments.result, versions.result, settings.result];
}

/** The body of a deployment. */
export const split = (...shares: readonly (readonly [string, number])[]) => ({
  strategy: "percentage",
  versions: shares.map(([version_id, percentage]) => ({ version_id, percentage })),
});

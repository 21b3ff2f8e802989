/** KV namespaces, and their keys and values. */
import { Hono } from "hono";
import {
  deleteKvKeys,
  listKvKeys,
  readKvKey,
  readKvKeys,
  writeKvKeys,
} from "../../control/kv-keys.ts";
import {
  createKvNamespace,
  deleteKvNamespace,
  kvNamespaceById,
  renameKvNamespace,
} from "../../control/kv-namespaces.ts";
import type { KvNamespace } from "../../domain/kv.ts";
import { PAGE_ITEMS_DEFAULT } from "../../domain/limits.ts";
import {
  KV_BULK_BODY_BYTES_MAX,
  KV_LIST_KEYS_MAX,
  KV_NAMESPACES_PER_PAGE_MAX,
} from "../../domain/limits-kv.ts";
import { countKvNamespaces, listKvNamespaces } from "../../store/kv-namespaces.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { kvBulkGet, kvKeyNames, kvPairs, kvTitle } from "../kv-schemas.ts";
import { pathKey } from "../path-key.ts";
import { decodeValue, putValue, toKvPair } from "../kv-values.ts";
import { flag, pageInfo, pageOf, positive } from "../paging.ts";
import { readJson } from "../read-body.ts";

/** Below `/accounts/:accountId/storage/kv/namespaces`. */
export const kvRoutes = new Hono<ApiEnv>()
  .get("/", async (c) => {
    const { db, accountId } = c.var.context;
    const page = pageOf(c, PAGE_ITEMS_DEFAULT, KV_NAMESPACES_PER_PAGE_MAX);
    const { perPage: limit, offset } = page;
    const order = orderOf(c);
    const namespaces = await listKvNamespaces(db, accountId, { limit, offset, order });
    const info = pageInfo(page, namespaces.length, await countKvNamespaces(db, accountId));
    return success(c, namespaces.map(toWire), { info });
  })
  .post("/", async (c) => {
    const namespace = accept(await createKvNamespace(c.var.context, await titleOf(c)));
    logChange(c, "kv_namespace.create", { namespace: namespace.id, title: namespace.title });
    return success(c, toWire(namespace));
  })
  .get("/:namespaceId", async (c) => success(c, toWire(await namespaceOf(c, "get namespace"))))
  .put("/:namespaceId", async (c) => {
    const namespace = await namespaceOf(c, "rename namespace");
    const renamed = accept(await renameKvNamespace(c.var.context, namespace, await titleOf(c)));
    logChange(c, "kv_namespace.rename", { namespace: renamed.id, title: renamed.title });
    return success(c, toWire(renamed));
  })
  .delete("/:namespaceId", async (c) => {
    const id = c.req.param("namespaceId");
    const force = flag(c, "force");
    const { title } = accept(await deleteKvNamespace(c.var.context, id, { force }));
    logChange(c, "kv_namespace.delete", { namespace: id, title, force });
    return success(c, null);
  })
  .get("/:namespaceId/keys", async (c) => {
    const namespace = await namespaceOf(c, "list keys");
    const limit = positive(c, "limit") ?? KV_LIST_KEYS_MAX;
    const prefix = c.req.query("prefix") ?? "";
    const cursor = c.req.query("cursor") ?? "";
    const options = { limit, prefix, cursor };
    const page = accept(await listKvKeys(c.var.context, namespace.id, options));
    const keys = page.keys.map(({ name, expiresOn, metadata }) => ({
      name,
      ...(expiresOn === null ? {} : { expiration: expiresOn }),
      ...(metadata === null ? {} : { metadata: JSON.parse(metadata) as unknown }),
    }));
    const info = { count: keys.length, cursor: page.cursor ?? "" };
    return success(c, keys, { info });
  })
  .get("/:namespaceId/values/:key{.+}", async (c) => {
    const namespace = await namespaceOf(c, "get");
    const { value, expiresOn } = accept(
      await readKvKey(c.var.context, namespace.id, pathKey(c, "values")),
    );
    return new Response(value as BodyInit, {
      headers: {
        "content-type": "application/octet-stream",
        ...(expiresOn === null ? {} : { expiration: String(expiresOn) }),
      },
    });
  })
  .put("/:namespaceId/values/:key{.+}", async (c) => {
    const namespace = await namespaceOf(c, "put");
    accept(await putValue(c, namespace.id, pathKey(c, "values")));
    logChange(c, "kv_keys.put", { namespace: namespace.id, keys: 1 });
    return success(c, null);
  })
  .delete("/:namespaceId/values/:key{.+}", async (c) => {
    const namespace = await namespaceOf(c, "delete");
    await deleteKeys(c, namespace, [pathKey(c, "values")]);
    return success(c, null);
  })
  .get("/:namespaceId/metadata/:key{.+}", async (c) => {
    const namespace = await namespaceOf(c, "get");
    const { value, metadata } = accept(
      await readKvKey(c.var.context, namespace.id, pathKey(c, "metadata")),
    );
    if (value instanceof ReadableStream) await value.cancel();
    return success(c, metadata === null ? null : (JSON.parse(metadata) as unknown));
  })
  .put("/:namespaceId/bulk", async (c) => {
    const namespace = await namespaceOf(c, "put");
    const body = accept(await readJson(c.req.raw, kvPairs, KV_BULK_BODY_BYTES_MAX));
    const pairs = body.map((pair) => accept(toKvPair(pair)));
    accept(await writeKvKeys(c.var.context, namespace.id, pairs));
    logChange(c, "kv_keys.put", { namespace: namespace.id, keys: pairs.length });
    return success(c, { successful_key_count: pairs.length, unsuccessful_keys: [] });
  })
  .delete("/:namespaceId/bulk", (c) => deleteNamed(c))
  // For clients that send no body with DELETE.
  .post("/:namespaceId/bulk/delete", (c) => deleteNamed(c))
  .post("/:namespaceId/bulk/get", async (c) => {
    const namespace = await namespaceOf(c, "get");
    const {
      keys,
      type = "text",
      withMetadata = false,
    } = accept(await readJson(c.req.raw, kvBulkGet));
    const found = accept(await readKvKeys(c.var.context, namespace.id, keys));
    const values = keys.map((key, index) => {
      const entry = found[index] ?? null;
      if (entry === null) return [key, null] as const;
      const value = accept(decodeValue(key, entry.value, type));
      if (!withMetadata) return [key, value] as const;
      const metadata = entry.metadata === null ? null : (JSON.parse(entry.metadata) as unknown);
      const { expiresOn } = entry;
      const expiration = expiresOn === null ? {} : { expiration: expiresOn };
      return [key, { value, metadata, ...expiration }] as const;
    });
    return success(c, { values: Object.fromEntries(values) });
  });

const toWire = ({ id, title }: KvNamespace) => ({ id, title, supports_url_encoding: true });

const namespaceOf = async (c: ApiContext, doing: string): Promise<KvNamespace> =>
  accept(await kvNamespaceById(c.var.context, c.req.param("namespaceId") ?? "", doing));

async function titleOf(c: ApiContext): Promise<string> {
  const { title = "" } = accept(await readJson(c.req.raw, kvTitle));
  return title === "" ? refuseWith({ kind: "kv_title_missing" }) : title;
}

async function deleteNamed(c: ApiContext): Promise<Response> {
  const namespace = await namespaceOf(c, "delete");
  const keys = accept(await readJson(c.req.raw, kvKeyNames, KV_BULK_BODY_BYTES_MAX));
  await deleteKeys(c, namespace, keys);
  return success(c, { successful_key_count: keys.length, unsuccessful_keys: [] });
}

async function deleteKeys(
  c: ApiContext,
  { id }: KvNamespace,
  keys: readonly string[],
): Promise<void> {
  accept(await deleteKvKeys(c.var.context, id, keys));
  logChange(c, "kv_keys.delete", { namespace: id, keys: keys.length });
}

function orderOf(c: ApiContext): { readonly by: "id" | "title"; readonly descending: boolean } {
  const by = c.req.query("order") ?? "title";
  const direction = c.req.query("direction") ?? "asc";
  if ((by === "id" || by === "title") && (direction === "asc" || direction === "desc")) {
    return { by, descending: direction === "desc" };
  }
  const detail = "order has to be id or title, and direction asc or desc.";
  return refuseWith({ kind: "bad_request", detail });
}

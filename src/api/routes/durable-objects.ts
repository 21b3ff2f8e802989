/** `…/workers/durable_objects/namespaces`: the classes that migrations have made, and the objects there are of them. */
import { Hono } from "hono";
import { askStore } from "../../control/ask-store.ts";
import { OBJECTS_PAGE_DEFAULT, OBJECTS_PAGE_MAX } from "../../domain/limits-durable.ts";
import { PAGE_ITEMS_DEFAULT } from "../../domain/limits.ts";
import {
  findNamespace,
  listNamespaces,
  type DurableNamespace,
} from "../../store/durable-namespaces.ts";
import type { ApiEnv } from "../api-env.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { pageInfo, pageOf, positive } from "../paging.ts";

/** Namespaces on one page of the list: wrangler asks for as many. */
const NAMESPACES_PAGE_MAX = 1_000;
const OBJECT_ID = /^[0-9a-f]{64}$/;

export const durableObjectRoutes = new Hono<ApiEnv>()
  .get("/", async (c) => {
    const { db, accountId } = c.var.context;
    const page = pageOf(c, PAGE_ITEMS_DEFAULT, NAMESPACES_PAGE_MAX);
    const { namespaces, total } = await listNamespaces(db, accountId, {
      limit: page.perPage,
      offset: page.offset,
    });
    const info = pageInfo(page, namespaces.length, total);
    return success(c, namespaces.map(toWireNamespace), { info });
  })
  .get("/:id/objects", async (c) => {
    const { db, accountId, objects } = c.var.context;
    const id = c.req.param("id");
    const limit = Math.min(positive(c, "limit") ?? OBJECTS_PAGE_DEFAULT, OBJECTS_PAGE_MAX);
    const cursor = c.req.query("cursor") ?? "";
    if (cursor !== "" && !OBJECT_ID.test(cursor)) {
      return refuseWith({
        kind: "bad_request",
        detail: "cursor has to be the one that the page before gave.",
      });
    }
    const namespace = await findNamespace(db, accountId, id);
    if (namespace === null) {
      return refuseWith({ kind: "durable_namespace_not_found", namespaceId: id.slice(0, 64) });
    }
    const { home } = namespace;
    const asked = await askStore("The Durable Objects", { idempotent: true }, async () =>
      (await objects.door(home)).list(home, id, cursor, limit),
    );
    const { objectIds, more } = accept(asked);
    const info = { count: objectIds.length, cursor: more ? (objectIds.at(-1) ?? "") : "" };
    // One that has only been called has stored something too: that it was.
    const found = objectIds.map((objectId) => ({ id: objectId, hasStoredData: true }));
    return success(c, found, { info });
  });

const toWireNamespace = ({ id, workerName, className, usesSqlite }: DurableNamespace) => ({
  id,
  name: `${workerName}_${className}`,
  script: workerName,
  class: className,
  use_sqlite: usesSqlite,
});

/** R2 buckets, and the objects in them. */
import { Hono } from "hono";
import {
  createR2Bucket,
  deleteR2Bucket,
  r2BucketNamed,
  setR2StorageClass,
} from "../../control/r2-buckets.ts";
import { deleteR2Object, listR2Objects } from "../../control/r2-objects.ts";
import {
  R2_BUCKET_FILTER_CHARS_MAX,
  R2_BUCKETS_PER_PAGE_MAX,
  R2_OBJECTS_PER_PAGE_MAX,
} from "../../domain/limits-r2.ts";
import type { R2BucketInfo } from "../../domain/r2.ts";
import { listR2Buckets } from "../../store/r2-buckets.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { flag, positive } from "../paging.ts";
import { r2Bucket, r2Headers } from "../r2-schemas.ts";
import { pathKey } from "../path-key.ts";
import { sendObject, storeObject } from "../r2-transfers.ts";
import { readJson } from "../read-body.ts";
import { toWireBucket, toWireObject, toWireUpload } from "../wire/r2.ts";

/** Below `/accounts/:accountId/r2/buckets`. */
export const r2Routes = new Hono<ApiEnv>()
  .get("/", async (c) => {
    const { db, accountId } = c.var.context;
    const limit = Math.min(positive(c, "per_page") ?? Infinity, R2_BUCKETS_PER_PAGE_MAX);
    const after = ["start_after", "cursor"].map((name) => nameOf(c, name)).filter(Boolean);
    const contains = nameOf(c, "name_contains");
    const descending = isDescending(c);
    const page = { limit: limit + 1, descending, after, contains };
    const found = await listR2Buckets(db, accountId, page);
    const buckets = found.slice(0, limit);
    const cursor = found.length > limit ? (buckets.at(-1)?.name ?? "") : "";
    const info = { count: buckets.length, per_page: limit, cursor };
    return success(c, { buckets: buckets.map(toWireBucket) }, { info });
  })
  .post("/", async (c) => {
    const body = accept(await readJson(c.req.raw, r2Bucket));
    const headers = headersOf(c);
    const bucket = accept(
      await createR2Bucket(c.var.context, {
        name: body.name,
        storageClass: body.storageClass ?? headers["cf-r2-storage-class"] ?? "Standard",
        jurisdiction: headers["cf-r2-jurisdiction"]?.toLowerCase() ?? "default",
        location: body.locationHint?.toLowerCase() ?? null,
      }),
    );
    logChange(c, "r2_bucket.create", { bucket: bucket.name, ordinal: bucket.ordinal });
    return success(c, toWireBucket(bucket));
  })
  .get("/:bucket", async (c) => success(c, toWireBucket(await bucketOf(c))))
  .patch("/:bucket", async (c) => {
    const storageClass = headersOf(c)["cf-r2-storage-class"];
    if (storageClass === undefined) {
      const detail = "the header cf-r2-storage-class has to name the new storage class.";
      return refuseWith({ kind: "bad_request", detail });
    }
    const bucket = await setR2StorageClass(c.var.context, await bucketOf(c), storageClass);
    logChange(c, "r2_bucket.storage_class", { bucket: bucket.name, storageClass });
    return success(c, toWireBucket(bucket));
  })
  .delete("/:bucket", async (c) => {
    const bucket = await bucketOf(c);
    const force = flag(c, "force");
    accept(await deleteR2Bucket(c.var.context, bucket, { force }));
    logChange(c, "r2_bucket.delete", { bucket: bucket.name, ordinal: bucket.ordinal, force });
    return success(c, {});
  })
  .get("/:bucket/objects", async (c) => {
    const bucket = await bucketOf(c);
    const limit = Math.min(positive(c, "per_page") ?? Infinity, R2_OBJECTS_PER_PAGE_MAX);
    const page = accept(
      await listR2Objects(c.var.context, bucket, {
        limit,
        include: ["httpMetadata", "customMetadata"],
        ...textOf(c, "prefix", "prefix"),
        ...textOf(c, "delimiter", "delimiter"),
        ...textOf(c, "cursor", "cursor"),
        ...textOf(c, "start_after", "startAfter"),
      }),
    );
    const info = {
      count: page.objects.length,
      per_page: limit,
      cursor: page.cursor ?? "",
      is_truncated: page.truncated,
      delimited: page.delimitedPrefixes,
    };
    return success(c, page.objects.map(toWireObject), { info });
  })
  .get("/:bucket/objects/:key{.+}", async (c) =>
    sendObject(c, await bucketOf(c), pathKey(c, "objects")),
  )
  .put("/:bucket/objects/:key{.+}", async (c) => {
    const bucket = await bucketOf(c);
    const storageClass = headersOf(c)["cf-r2-storage-class"] ?? bucket.storageClass;
    const object = await storeObject(c, bucket, pathKey(c, "objects"), storageClass);
    logChange(c, "r2_object.put", { bucket: bucket.name, key: object.key, size: object.size });
    return success(c, toWireUpload(object));
  })
  .delete("/:bucket/objects/:key{.+}", async (c) => {
    const bucket = await bucketOf(c);
    const key = pathKey(c, "objects");
    accept(await deleteR2Object(c.var.context, bucket, key));
    logChange(c, "r2_object.delete", { bucket: bucket.name, key });
    return success(c, { key });
  })
  // What a bucket here never has: said as it is, so that clients that only look go on.
  .get("/:bucket/lifecycle", (c) => hasNone(c, { rules: [] }))
  .get("/:bucket/lock", (c) => hasNone(c, { rules: [] }))
  .get("/:bucket/domains/custom", (c) => hasNone(c, { domains: [] }))
  .all("/:bucket/lifecycle", () => notYet("A lifecycle rule of a bucket"))
  .all("/:bucket/lock", () => notYet("A lock rule of a bucket"))
  .all("/:bucket/cors", () => notYet("A CORS policy of a bucket"))
  .all("/:bucket/domains/*", () => notYet("A bucket's own domain"))
  .all("/:bucket/:part{.+}", () => notYet("This part of a bucket"));

const bucketOf = async (c: ApiContext): Promise<R2BucketInfo> =>
  accept(await r2BucketNamed(c.var.context, c.req.param("bucket") ?? ""));

async function hasNone(c: ApiContext, result: unknown): Promise<Response> {
  await bucketOf(c);
  return success(c, result);
}

const notYet = (what: string): never =>
  refuseWith({
    kind: "not_supported",
    what,
    instead: "Let a Worker that is bound to the bucket do it.",
  });

function headersOf(c: ApiContext) {
  const parsed = r2Headers.safeParse(c.req.header());
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const detail = `${issue?.path.map(String).join(".")}: ${issue?.message}`;
  return refuseWith({ kind: "bad_request", detail });
}

/** A name, or a part of one; empty when it is not given. */
function nameOf(c: ApiContext, query: string): string {
  const text = c.req.query(query) ?? "";
  if (text.length <= R2_BUCKET_FILTER_CHARS_MAX) return text;
  const detail = `${query} has at most ${R2_BUCKET_FILTER_CHARS_MAX} characters.`;
  return refuseWith({ kind: "bad_request", detail });
}

function isDescending(c: ApiContext): boolean {
  const order = c.req.query("order") ?? "name";
  const direction = c.req.query("direction") ?? "asc";
  if (order === "name" && (direction === "asc" || direction === "desc")) {
    return direction === "desc";
  }
  const detail = "order has to be name, and direction asc or desc.";
  return refuseWith({ kind: "bad_request", detail });
}

/** A field of the list's options, unless the query is empty. */
function textOf<Name extends string>(
  c: ApiContext,
  query: string,
  name: Name,
): { readonly [K in Name]?: string } {
  const text = c.req.query(query) ?? "";
  return (text === "" ? {} : { [name]: text }) as { readonly [K in Name]?: string };
}

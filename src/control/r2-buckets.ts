/** Make, change and delete R2 buckets. */
import type { DomainError } from "../domain/errors.ts";
import { R2_BUCKETS_MAX } from "../domain/limits-r2.ts";
import { bucketIdOf, isBucketName, type R2BucketInfo, type R2StorageClass } from "../domain/r2.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { findResourceReferrers } from "../store/resources.ts";
import {
  countR2Buckets,
  findR2Bucket,
  insertR2Bucket,
  markR2BucketDeleted,
  updateR2StorageClass,
} from "../store/r2-buckets.ts";
import { askR2 } from "./r2-objects.ts";
import { auditEntry } from "./audit-entry.ts";
import type { ActingContext, ControlContext } from "./context.ts";

export async function r2BucketNamed(
  context: Pick<ControlContext, "db" | "accountId">,
  name: string,
): Promise<Result<R2BucketInfo, DomainError>> {
  const bucket = await findR2Bucket(context.db, context.accountId, name);
  return bucket ? ok(bucket) : err({ kind: "r2_bucket_not_found" });
}

export async function createR2Bucket(
  context: ActingContext,
  wanted: Omit<R2BucketInfo, "ordinal" | "createdOn">,
): Promise<Result<R2BucketInfo, DomainError>> {
  const { db, accountId } = context;
  const { name } = wanted;
  if (!isBucketName(name)) return err({ kind: "r2_bad_bucket_name", name });
  if ((await countR2Buckets(db, accountId)) >= R2_BUCKETS_MAX) {
    return err({ kind: "too_many_r2_buckets", max: R2_BUCKETS_MAX });
  }
  const entry = auditEntry(context, "r2_bucket.create", `r2_bucket:${name}`, { name });
  const bucket = await insertR2Bucket(db, accountId, wanted, entry);
  return bucket === null ? err({ kind: "r2_bucket_exists" }) : ok(bucket);
}

export async function setR2StorageClass(
  context: ActingContext,
  bucket: R2BucketInfo,
  storageClass: R2StorageClass,
): Promise<R2BucketInfo> {
  const { name } = bucket;
  const details = { name, storageClass };
  const entry = auditEntry(context, "r2_bucket.storage_class", `r2_bucket:${name}`, details);
  await updateR2StorageClass(context.db, context.accountId, bucket, storageClass, entry);
  return { ...bucket, storageClass };
}

/**
 * Delete an empty bucket. Refused while current deployments are bound to it, unless forced. It takes nothing any more
 * before it is looked into for the last time, so no object is left behind; deleting again what was not deleted to the
 * end does the rest.
 */
export async function deleteR2Bucket(
  context: ActingContext,
  bucket: R2BucketInfo,
  { force }: { readonly force: boolean },
): Promise<Result<void, DomainError>> {
  const { db, accountId } = context;
  const { name } = bucket;
  const users = force ? [] : await findResourceReferrers(db, accountId, "r2_bucket", name);
  if (users.length > 0) return err({ kind: "resource_in_use", what: "R2 bucket", name, users });
  const closed = await askR2(context, true, (store) => store.close(bucketIdOf(bucket)));
  if (!closed.ok) return closed;
  if (!closed.value) return err({ kind: "r2_bucket_not_empty", name });
  const entry = auditEntry(context, "r2_bucket.delete", `r2_bucket:${name}`, { name, force });
  await markR2BucketDeleted(db, accountId, bucket, entry);
  return ok(undefined);
}

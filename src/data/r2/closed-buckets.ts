/**
 * Buckets that were deleted. Versions that are loaded may hold their bindings for a while, and must neither find nor
 * make anything: a mark in the storage says so, and lasts.
 */

/** No bucket's own prefix begins with a dash. */
const MARKS = "-/";

/** By prefix, what this isolate knows: a bucket that is closed stays closed. */
const known = new Map<string, boolean>();

export async function isClosed(objects: R2Bucket, prefix: string): Promise<boolean> {
  const before = known.get(prefix);
  if (before !== undefined) return before;
  const marked = (await objects.head(MARKS + prefix)) !== null;
  const isClosed = marked || known.get(prefix) === true;
  known.set(prefix, isClosed);
  return isClosed;
}

/** Close it for good, if it is empty; false when it is not, and goes on as before. */
export async function closeIfEmpty(objects: R2Bucket, prefix: string): Promise<boolean> {
  if (!(await isEmpty(objects, prefix))) return false;
  await objects.put(MARKS + prefix, null);
  known.set(prefix, true);
  // What had begun before may have ended since.
  if (await isEmpty(objects, prefix)) return true;
  await objects.delete(MARKS + prefix);
  known.set(prefix, false);
  return false;
}

const isEmpty = async (objects: R2Bucket, prefix: string): Promise<boolean> =>
  (await objects.list({ prefix, limit: 1 })).objects.length === 0;

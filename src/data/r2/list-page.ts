/** One page of a bucket's list. */
import { cursorOf, lastKeyOf, laterKey, type ListPlace, placeOf } from "../../domain/r2.ts";
import { type MetadataField, storedObject, type StoredObject } from "./stored-object.ts";

/** As code gives them: what they are is checked here and by R2. */
export interface ListOptions {
  readonly limit?: number;
  readonly prefix?: string;
  readonly cursor?: string;
  readonly delimiter?: string;
  readonly startAfter?: string;
  readonly include?: readonly MetadataField[];
}

export interface ListPage {
  readonly objects: readonly StoredObject[];
  readonly delimitedPrefixes: readonly string[];
  readonly truncated: boolean;
  /** Only when there is more. */
  readonly cursor?: string;
}

/**
 * R2's own cursor is not given out: it has the whole key in it, or something that nobody but R2 can look into. A page
 * begins after a key instead, which says the same.
 */
export async function listPage(
  objects: R2Bucket,
  bucketPrefix: string,
  options: ListOptions,
): Promise<ListPage> {
  const { limit, include } = options;
  const delimiter = textOf(options, "delimiter");
  const prefix = bucketPrefix + (textOf(options, "prefix") ?? "");
  const startAfter = startOf(options);
  const asked = {
    prefix,
    ...(limit === undefined ? {} : { limit }),
    ...(include === undefined ? {} : { include: include as MetadataField[] }),
    ...(delimiter === undefined ? {} : { delimiter }),
  };
  let page = await objects.list({
    ...asked,
    ...(startAfter === undefined ? {} : { startAfter: bucketPrefix + startAfter }),
  });
  // R2 may give up on a page before it has found anything.
  while (page.truncated && endOf(page) === null) {
    page = await objects.list({ ...asked, cursor: page.cursor });
  }
  const end = page.truncated ? endOf(page) : null;
  return {
    objects: page.objects.map((object) => storedObject(object, bucketPrefix, include ?? [])),
    delimitedPrefixes: page.delimitedPrefixes.map((group) => group.slice(bucketPrefix.length)),
    truncated: page.truncated,
    ...(end === null
      ? {}
      : { cursor: cursorOf({ ...end, text: end.text.slice(bucketPrefix.length) }) }),
  };
}

/** The key that the page begins after. */
function startOf(options: ListOptions): string | undefined {
  const given = textOf(options, "startAfter");
  const cursor = textOf(options, "cursor");
  if (cursor === undefined) return given;
  const place = placeOf(cursor);
  if (place === null) throw new Error("list: The cursor is not one that list() has given. (10029)");
  const after = lastKeyOf(place);
  return given === undefined ? after : laterKey(given, after);
}

function endOf({ objects, delimitedPrefixes }: R2Objects): ListPlace | null {
  const key = objects.at(-1)?.key;
  const prefix = delimitedPrefixes.at(-1);
  if (key === undefined && prefix === undefined) return null;
  if (prefix === undefined || (key !== undefined && laterKey(key, prefix) === key)) {
    return { after: "key", text: key! };
  }
  return { after: "prefix", text: prefix };
}

/** Text that is no string could be another one each time it is looked at. */
function textOf(
  options: ListOptions,
  field: "prefix" | "cursor" | "delimiter" | "startAfter",
): string | undefined {
  const value: unknown = options[field];
  if (value === undefined || typeof value === "string") return value;
  throw new TypeError(
    `Incorrect type for the '${field}' field on 'ListOptions': the provided value is not of type 'string'.`,
  );
}

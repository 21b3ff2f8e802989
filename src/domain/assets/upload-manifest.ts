/** What a client says it will upload: each file's path, size, and a hash that the client has computed. */
import { byteLength } from "../byte-length.ts";
import type { DomainError } from "../errors.ts";
import {
  ASSET_BUCKET_BYTES_MAX,
  ASSET_BUCKET_FILES_MAX,
  ASSET_FILE_BYTES_MAX,
  ASSET_FILES_MAX,
  ASSET_PATH_BYTES_MAX,
} from "../limits-assets.ts";
import { err, ok, type Result } from "../result.ts";

export interface ManifestEntry {
  /** 32 hex digits, lower case. */
  readonly hash: string;
  /** Bytes. */
  readonly size: number;
}

/** By path. Its entries are as they came: one hash may stand for several paths. */
export type UploadManifest = ReadonlyMap<string, ManifestEntry>;

/** Contents as the client names them. Two of one hash that differ in the extension are two files, with a type each. */
export interface NamedContent extends ManifestEntry {
  /** Without the dot; `null` when the client uses one hash under several extensions, so that no rule can verify it. */
  readonly extension: string | null;
}

const HASH = /^[0-9a-f]{32}$/;
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f]/;

export function decideUploadManifest(raw: unknown): Result<UploadManifest, DomainError> {
  if (typeof raw !== "object" || raw === null || Array.isArray(raw))
    return invalid('The manifest must be an object: {"/index.html": {"hash": "…", "size": 1}}.');
  const entries = Object.entries(raw as Readonly<Record<string, unknown>>);
  if (entries.length > ASSET_FILES_MAX)
    return invalid(
      `The manifest has ${entries.length} files; at most ${ASSET_FILES_MAX} are allowed.`,
    );
  const manifest = new Map<string, ManifestEntry>();
  const sizes = new Map<string, number>();
  for (const [path, entry] of entries) {
    const complaint = complaintAboutPath(path);
    if (complaint !== null) return invalid(complaint);
    const file = entry as Partial<ManifestEntry> | null;
    const hash = typeof file?.hash === "string" ? file.hash.toLowerCase() : "";
    const size = file?.size;
    if (!HASH.test(hash)) return invalid(`The hash of ${shown(path)} must be 32 hex digits.`);
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0)
      return invalid(`The size of ${shown(path)} must be its number of bytes.`);
    if (size > ASSET_FILE_BYTES_MAX)
      return invalid(
        `The file ${shown(path)} is ${size} bytes long; at most ${ASSET_FILE_BYTES_MAX} are allowed. Keep larger files in a bucket.`,
      );
    if ((sizes.get(hash) ?? size) !== size)
      return invalid(`The file ${shown(path)} has the hash of another one, but not its size.`);
    sizes.set(hash, size);
    manifest.set(path, { hash, size });
  }
  return ok(manifest);
}

/** Each content once, in the order of the manifest. */
export function namedContents(manifest: UploadManifest): ReadonlyMap<string, NamedContent> {
  const contents = new Map<string, NamedContent>();
  for (const [path, { hash, size }] of manifest) {
    const extension = extensionOf(path);
    const known = contents.get(hash);
    const isSame = known === undefined || known.extension === extension;
    contents.set(hash, { hash, size, extension: isSame ? extension : null });
  }
  return contents;
}

/** As `path.extname` has it, without the dot: that is what clients put into their hashes. */
export function extensionOf(path: string): string {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const dot = name.lastIndexOf(".");
  return dot <= 0 || name === ".." ? "" : name.slice(dot + 1);
}

/** Hashes to be uploaded, one call's worth in each list. */
export function fillBuckets(missing: readonly ManifestEntry[]): readonly (readonly string[])[] {
  const buckets: string[][] = [];
  let bucket: string[] = [];
  let bytes = 0;
  for (const { hash, size } of missing) {
    const isFull = bucket.length >= ASSET_BUCKET_FILES_MAX || bytes + size > ASSET_BUCKET_BYTES_MAX;
    if (bucket.length === 0 || isFull) {
      buckets.push((bucket = []));
      bytes = 0;
    }
    bucket.push(hash);
    bytes += size;
  }
  return buckets;
}

function complaintAboutPath(path: string): string | null {
  if (!path.startsWith("/"))
    return `The path ${shown(path)} must begin with a slash: it is where the file is served.`;
  if (byteLength(path) > ASSET_PATH_BYTES_MAX)
    return `The path ${shown(path)} is longer than ${ASSET_PATH_BYTES_MAX} bytes.`;
  if (CONTROL.test(path) || !path.isWellFormed())
    return `The path ${shown(path)} has characters that no path may have.`;
  return null;
}

const shown = (path: string): string => JSON.stringify(path.slice(0, 200));

const invalid = (detail: string) => err<DomainError>({ kind: "assets_invalid", detail });

/**
 * An upload of static assets: a client says what files there are, brings those that are not stored yet, and gets a token
 * with which versions can have them. A session needs no Worker, and leaves nothing that anyone can see.
 */
import type { DomainError } from "../domain/errors.ts";
import { ASSET_SESSION_MS, ASSET_WRITES_AT_ONCE } from "../domain/limits-assets.ts";
import { err, ok, type Result } from "../domain/result.ts";
import {
  decideUploadManifest,
  fillBuckets,
  namedContents,
  type NamedContent,
  type UploadManifest,
} from "../domain/assets/upload-manifest.ts";
import {
  areAssetsMissing,
  findAssetFiles,
  insertAssetFiles,
  type StoredAssetFile,
} from "../store/assets.ts";
import { sha256Hex } from "../store/blobs.ts";
import { isHashOf } from "./asset-hash.ts";
import type { ControlContext } from "./context.ts";

export type AssetContext = Pick<
  ControlContext,
  "accountId" | "db" | "blobs" | "assetBlobs" | "assetTokens" | "now"
>;

export interface AssetSession {
  readonly id: string;
  readonly manifestSha256: string;
  readonly manifest: UploadManifest;
  /** What the manifest names, by hash. */
  readonly contents: ReadonlyMap<string, NamedContent>;
}

export interface StartedSession {
  /** With nothing left to upload, it is already good for a version. */
  readonly token: string;
  readonly buckets: readonly (readonly string[])[];
}

/** A file as it came. */
export interface UploadedAsset {
  readonly hash: string;
  readonly bytes: Uint8Array;
  /** The same as text in ASCII. */
  readonly base64: Uint8Array;
  readonly contentType: string | null;
}

export async function startAssetSession(
  context: AssetContext & Pick<ControlContext, "newId">,
  manifest: UploadManifest,
): Promise<StartedSession> {
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(manifest)));
  const manifestSha256 = await sha256Hex(text);
  await context.blobs.put(manifestSha256, text);
  const id = context.newId();
  const contents = namedContents(manifest);
  const missing = await findMissing(context, { id, contents });
  return { token: await signToken(context, { id, manifestSha256 }), buckets: fillBuckets(missing) };
}

/** `asset_session_invalid` for a token that is not ours, or too old. */
export async function openAssetSession(
  context: AssetContext,
  token: string,
): Promise<Result<AssetSession, DomainError>> {
  const claims = await context.assetTokens.open(token);
  if (claims === null || claims.accountId !== context.accountId)
    return invalid("It is not one that this Switchback has given.");
  if (claims.expiresOn <= context.now()) return invalid("It has expired.");
  const text = await context.blobs.get(claims.manifestSha256);
  const manifest = text && decideUploadManifest(JSON.parse(new TextDecoder().decode(text)));
  if (!manifest?.ok) return invalid("What it was given for is not stored any more.");
  const { manifestSha256, sessionId: id } = claims;
  return ok({
    id,
    manifestSha256,
    manifest: manifest.value,
    contents: namedContents(manifest.value),
  });
}

/** Stores files of a session. Gives a token that a version can be uploaded with when there is nothing left to bring. */
export async function storeAssets(
  context: AssetContext,
  session: AssetSession,
  assets: readonly UploadedAsset[],
): Promise<Result<{ readonly token: string | null }, DomainError>> {
  for (const { hash, bytes } of assets) {
    const content = session.contents.get(hash);
    if (content === undefined)
      return unfit(`The file ${hash.slice(0, 64)} is not in the manifest of this upload.`);
    if (content.size !== bytes.byteLength)
      return unfit(
        `The file ${hash} has ${bytes.byteLength} bytes, but the manifest of this upload says ${content.size}.`,
      );
  }
  const rows: StoredAssetFile[] = [];
  for (let at = 0; at < assets.length; at += ASSET_WRITES_AT_ONCE) {
    const some = assets.slice(at, at + ASSET_WRITES_AT_ONCE);
    rows.push(...(await Promise.all(some.map((asset) => storeBytes(context, session, asset)))));
  }
  await insertAssetFiles(context.db, context.accountId, rows, context.now());
  const contents = [...session.contents.values()];
  const more = await areAssetsMissing(context.db, context.accountId, session.id, contents);
  return ok({ token: more ? null : await signToken(context, session) });
}

/** A hash that does not follow from the bytes stands for them in this session only: others may mean something else by it. */
async function storeBytes(
  { assetBlobs }: AssetContext,
  session: AssetSession,
  { hash, bytes, base64, contentType }: UploadedAsset,
): Promise<StoredAssetFile> {
  const extension = session.contents.get(hash)?.extension ?? null;
  const isVerified = extension !== null && (await isHashOf(hash, base64, extension));
  const sha256 = await sha256Hex(bytes);
  await assetBlobs.put(sha256, bytes);
  const scope = isVerified ? { extension } : { session: session.id };
  return { scope, hash, sha256, size: bytes.byteLength, contentType };
}

async function findMissing(
  { db, accountId }: AssetContext,
  { id, contents }: Pick<AssetSession, "id" | "contents">,
): Promise<readonly NamedContent[]> {
  const all = [...contents.values()];
  const stored = await findAssetFiles(db, accountId, id, all);
  return all.filter(({ hash, size }) => stored.get(hash)?.size !== size);
}

const signToken = (
  { assetTokens, accountId, now }: AssetContext,
  { id, manifestSha256 }: Pick<AssetSession, "id" | "manifestSha256">,
): Promise<string> =>
  assetTokens.sign({
    accountId,
    sessionId: id,
    manifestSha256,
    expiresOn: now() + ASSET_SESSION_MS,
  });

const invalid = (detail: string) => err<DomainError>({ kind: "asset_session_invalid", detail });
const unfit = (detail: string) => err<DomainError>({ kind: "assets_invalid", detail });

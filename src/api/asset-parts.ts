/** Files of an upload of assets, as they come in a request. */
import type { UploadedAsset } from "../control/asset-session.ts";
import type { DomainError } from "../domain/errors.ts";
import { UPLOAD_BODY_BYTES_MAX } from "../domain/limits.ts";
import { ASSET_FILE_BYTES_MAX, ASSET_TYPE_CHARS_MAX } from "../domain/limits-assets.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { fromBase64, toBase64 } from "./module-bytes.ts";
import { readMultipart } from "./multipart.ts";
import { bodyChunks, readBytes } from "./read-body.ts";

/** What clients send for a file of no known type: its answers are to have none. */
const NO_TYPE = "application/null";
const CONTENT_TYPE = /^[\x20-\x7e]+$/;

/** One part for each file, named by its hash, its bytes as base64. */
export async function readAssetParts(
  request: Request,
): Promise<Result<readonly UploadedAsset[], DomainError>> {
  const body = bodyChunks(request, UPLOAD_BODY_BYTES_MAX);
  const parts = await readMultipart(body, request.headers.get("content-type"));
  if (!parts.ok) return parts;
  const assets: UploadedAsset[] = [];
  for (const { name: hash, bytes: base64, contentTypeHeader } of parts.value) {
    const bytes = fromBase64(new TextDecoder().decode(base64));
    if (bytes === null) return invalid(`The part ${shown(hash)} is not base64.`);
    const contentType = decideType(contentTypeHeader);
    if (!contentType.ok) return contentType;
    assets.push({ hash, bytes, base64, contentType: contentType.value });
  }
  return ok(assets);
}

/** One file as it is; its hash is in the path. */
export async function readWholeAsset(
  request: Request,
  hash: string,
): Promise<Result<UploadedAsset, DomainError>> {
  const contentType = decideType(request.headers.get("content-type") ?? "");
  if (!contentType.ok) return contentType;
  const bytes = await readBytes(request, ASSET_FILE_BYTES_MAX);
  if (!bytes.ok) return bytes;
  const base64 = new TextEncoder().encode(toBase64(bytes.value));
  return ok({ hash, bytes: bytes.value, base64, contentType: contentType.value });
}

function decideType(header: string): Result<string | null, DomainError> {
  const type = header.trim();
  if (type === "" || type.split(";")[0]?.trim().toLowerCase() === NO_TYPE) return ok(null);
  if (type.length <= ASSET_TYPE_CHARS_MAX && CONTENT_TYPE.test(type)) return ok(type);
  return invalid(`A file has the content type ${shown(type)}, which cannot be one.`);
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 200));

const invalid = (detail: string) => err<DomainError>({ kind: "assets_invalid", detail });

/** The body of an upload, in either of the two forms that clients send, as metadata and module parts. */
import type { DomainError } from "../domain/errors.ts";
import { UPLOAD_BODY_BYTES_MAX, UPLOAD_METADATA_BYTES_MAX } from "../domain/limits.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { Upload, UploadedModule } from "../domain/upload.ts";
import { isMetadataField, metadataFromFields } from "./metadata-fields.ts";
import { readMultipart, type Part } from "./multipart.ts";
import { bodyChunks, parseJson } from "./read-body.ts";

/** @returns `body_too_large`, `bad_multipart`, `bad_json` (of the metadata) or `bad_request` */
export async function readUpload(request: Request): Promise<Result<Upload, DomainError>> {
  const body = bodyChunks(request, UPLOAD_BODY_BYTES_MAX);
  const parts = await readMultipart(body, request.headers.get("content-type"));
  if (!parts.ok) return parts;
  const isMetadata = (part: Part) => part.name === "metadata" || isMetadataField(part.name);
  const metadata = readMetadata(parts.value.filter(isMetadata));
  if (!metadata.ok) return metadata;
  const modules = parts.value.filter((part) => !isMetadata(part)).map(moduleOf);
  return ok({ metadata: metadata.value, modules });
}

function readMetadata(
  parts: readonly Part[],
): Result<Readonly<Record<string, unknown>>, DomainError> {
  const bytes = parts.reduce((sum, part) => sum + part.bytes.byteLength, 0);
  if (bytes > UPLOAD_METADATA_BYTES_MAX)
    return malformed(
      `Its metadata is ${bytes} bytes long; at most ${UPLOAD_METADATA_BYTES_MAX} are allowed.`,
    );
  const json = parts.find((part) => part.name === "metadata");
  if (json === undefined && parts.length === 0)
    return malformed('It has no part named "metadata", which says what the modules are.');
  if (json === undefined) return readFields(parts);
  if (parts.length > 1)
    return malformed("Its metadata comes both as one part and as form fields. Send one of them.");
  const parsed = parseJson(json.bytes);
  if (!parsed.ok && parsed.error.kind === "bad_json")
    return err({ kind: "bad_json", detail: `In the metadata part: ${parsed.error.detail}` });
  if (!parsed.ok) return parsed;
  if (typeof parsed.value !== "object" || parsed.value === null || Array.isArray(parsed.value))
    return malformed("Its metadata must be a JSON object.");
  return ok(parsed.value as Readonly<Record<string, unknown>>);
}

function readFields(
  parts: readonly Part[],
): Result<Readonly<Record<string, unknown>>, DomainError> {
  // Texts from a form are never refused for their encoding: what is not UTF-8 shows as U+FFFD.
  const decoder = new TextDecoder();
  return metadataFromFields(parts.map((part) => [part.name, decoder.decode(part.bytes)]));
}

/** A module is named by its part, or, when the part is one of a list of `files`, by its key or file. */
function moduleOf({ name, filename, contentType, bytes }: Part): UploadedModule {
  const key = /^files\[([^[\]]+)\]$/.exec(name)?.[1];
  const isListed = name === "files[]" || name === "files";
  return { name: key ?? (isListed ? (filename ?? name) : name), contentType, bytes };
}

const malformed = (detail: string) => err<DomainError>({ kind: "bad_multipart", detail });

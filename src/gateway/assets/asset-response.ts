import type { AssetFile } from "../../domain/assets/asset-files.ts";
import { decideRange } from "../../domain/assets/byte-range.ts";
import type { HeaderChange } from "../../domain/assets/custom-headers.ts";
import type { AssetAnswer } from "../../domain/assets/decide-answer.ts";
import { matchesEtag } from "../../domain/assets/entity-tag.ts";
import type { AssetBytes } from "./asset-bytes.ts";

const CACHE_CONTROL = "public, max-age=0, must-revalidate";

/** The response that carries an answer. Headers are Cloudflare's, then as `_headers` says. */
export async function assetResponse(
  request: Request,
  answer: AssetAnswer,
  changes: readonly HeaderChange[],
  bytes: AssetBytes,
): Promise<Response> {
  switch (answer.kind) {
    case "file":
      return fileResponse(request, answer, changes, bytes);
    case "redirect": {
      const headers = changed(new Headers({ location: answer.location }), changes);
      return new Response(null, { status: answer.status, headers });
    }
    case "method_not_allowed":
      return new Response(null, { status: 405, headers: changed(new Headers(), changes) });
    case "none":
      return new Response(null, { status: 404, headers: changed(new Headers(), changes) });
    case "outside":
      return new Response(null, { status: 404 });
  }
}

async function fileResponse(
  request: Request,
  { file, status }: Extract<AssetAnswer, { kind: "file" }>,
  changes: readonly HeaderChange[],
  bytes: AssetBytes,
): Promise<Response> {
  const asked = request.headers;
  const range = asked.get("range");
  const headers = new Headers({ etag: `"${file.etag}"` });
  if (file.contentType !== null) headers.set("content-type", file.contentType);
  if (range === null && !asked.has("authorization")) headers.set("cache-control", CACHE_CONTROL);
  if (matchesEtag(asked.get("if-none-match"), file.etag)) {
    headers.set("cf-cache-status", "HIT");
    return new Response(null, { status: 304, headers: changed(headers, changes) });
  }
  if (request.method === "HEAD") {
    headers.set("cf-cache-status", bytes.peek(file) === null ? "MISS" : "HIT");
    headers.set("content-length", String(file.size));
    return new Response(null, { status, headers: changed(headers, changes) });
  }
  const wanted = status === 200 && isRangeFor(asked, file) ? range : null;
  return bodyResponse(file, wanted, status, headers, changes, bytes);
}

async function bodyResponse(
  file: AssetFile,
  range: string | null,
  status: number,
  headers: Headers,
  changes: readonly HeaderChange[],
  bytes: AssetBytes,
): Promise<Response> {
  const decided = decideRange(range, file.size);
  if (decided.kind === "unsatisfiable") {
    headers.set("content-range", `bytes */${file.size}`);
    headers.delete("content-type");
    return new Response(null, { status: 416, headers: changed(headers, changes) });
  }
  const part = decided.kind === "part" ? decided : null;
  const { body, isFromMemory } = await bytes.read(file, part);
  headers.set("cf-cache-status", isFromMemory ? "HIT" : "MISS");
  if (part === null) return new Response(body, { status, headers: changed(headers, changes) });
  const { offset, length } = part;
  headers.set("content-range", `bytes ${offset}-${offset + length - 1}/${file.size}`);
  return new Response(body, { status: 206, headers: changed(headers, changes) });
}

/** `If-Range`: a part is of use only if the rest that the client has is of the same file. */
function isRangeFor(asked: Headers, { etag }: AssetFile): boolean {
  const condition = asked.get("if-range");
  return condition === null || condition.trim() === `"${etag}"`;
}

function changed(headers: Headers, changes: readonly HeaderChange[]): Headers {
  for (const { kind, name, value } of changes) {
    if (kind === "delete") headers.delete(name);
    else headers[kind](name, value);
  }
  return headers;
}

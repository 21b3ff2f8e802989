/** Whether what a client has is what there is. */

/** `header` is `If-None-Match`; `etag` is without quotes. Compared weakly: answers are byte for byte the same or not at all. */
export function matchesEtag(header: string | null, etag: string): boolean {
  if (header === null) return false;
  if (header.trim() === "*") return true;
  return header.split(",").some((tag) => tag.trim().replace(/^W\//, "") === `"${etag}"`);
}

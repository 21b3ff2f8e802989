/** Paths as in a URL, and as files are named. */

/** What cannot be decoded stays as it is; several slashes are one. */
export const decodePath = (pathname: string): string =>
  pathname.split("/").map(decodeSegment).join("/").replace(/\/+/g, "/");

export const encodePath = (path: string): string => path.split("/").map(encodeSegment).join("/");

function decodeSegment(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

function encodeSegment(segment: string): string {
  try {
    return encodeURIComponent(segment);
  } catch {
    return segment;
  }
}

import type { ApiContext } from "./api-env.ts";
import { refuseWith } from "./envelope.ts";

/** The key that ends the path. It is read from the path as it was sent: a key may have slashes and percent signs. */
export function pathKey(c: ApiContext, resource: "values" | "metadata" | "objects"): string {
  const { pathname } = new URL(c.req.url);
  const before = `/${resource}/`;
  const spelled = pathname.slice(pathname.indexOf(before) + before.length);
  try {
    return decodeURIComponent(spelled);
  } catch {
    const detail = "the key in the path is not URL-encoded UTF-8.";
    return refuseWith({ kind: "bad_request", detail });
  }
}

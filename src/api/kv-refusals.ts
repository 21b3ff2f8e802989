/** What KV refuses; the codes and texts of Cloudflare's KV where clients know them. */
import { bad, refusal, type Kind, type WireRefusal } from "./wire-refusal.ts";

type KvError = Kind<
  | "kv_namespace_not_found"
  | "kv_key_not_found"
  | "kv_title_taken"
  | "kv_title_missing"
  | "too_many_kv_namespaces"
  | "kv_refused"
>;

export function kvRefusal(error: KvError): WireRefusal {
  switch (error.kind) {
    case "kv_namespace_not_found":
      return refusal(404, 10013, `${error.doing}: 'namespace not found'`);
    case "kv_key_not_found":
      return refusal(404, 10009, "get: 'key not found'");
    case "kv_title_taken":
      return bad(
        10014,
        `${error.doing}: 'a namespace with this account ID and title already exists'`,
      );
    case "kv_title_missing":
      return bad(10019, 'A namespace needs a title: send {"title": "…"}.');
    case "too_many_kv_namespaces":
      return bad(
        130060,
        `The account has ${error.max} KV namespaces, the most it may have. Delete some first.`,
      );
    case "kv_refused":
      return {
        ...refusal(error.status, 130061, error.message),
        ...(error.status === 429 ? { retryAfterSeconds: 1 } : {}),
      };
  }
}

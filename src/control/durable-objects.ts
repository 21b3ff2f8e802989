/** What becomes of namespaces of Durable Objects that are deleted. */
import { logEvent } from "../observability/log.ts";
import { forgetNamespace, listDeletedNamespaces } from "../store/durable-namespaces.ts";
import type { ActingContext } from "./context.ts";

/** Namespaces that are erased behind one change; those left over are the next change's. */
const ERASED_AT_ONCE_MAX = 20;

/**
 * Erases the objects of namespaces whose classes, or whose Workers, are gone. Never rejects: what could not be reached stays
 * on the list, and is erased behind the next change that comes by here, or behind the first call after a restart.
 */
export async function eraseDeletedNamespaces(
  context: Pick<ActingContext, "db" | "objects" | "now">,
): Promise<void> {
  try {
    for (const { id, home } of await listDeletedNamespaces(context.db, ERASED_AT_ONCE_MAX)) {
      const door = await context.objects.door(home);
      await door.erase(home, id);
      await forgetNamespace(context.db, id, context.now());
    }
  } catch (error) {
    logEvent("warn", "durable_namespace_not_erased", { error: String(error) });
  }
}

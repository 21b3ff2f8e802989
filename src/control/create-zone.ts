import type { Zone } from "../domain/worker.ts";
import { createZone as createStored, listZones } from "../store/routing.ts";
import { auditEntry } from "./audit-entry.ts";
import type { ActingContext } from "./context.ts";

/** Make a zone; one of that name that is there already is given as it is. */
export async function createZone(
  context: ActingContext,
  name: string,
): Promise<{ readonly zone: Zone; readonly isNew: boolean }> {
  const id = context.newId().replaceAll("-", "");
  const entry = auditEntry(context, "zone.create", `zone:${id}`, { zone: name });
  await createStored(context.db, context.accountId, { id, name }, entry);
  const zone = (await listZones(context.db, context.accountId, name))[0] ?? { id, name };
  return { zone, isNew: zone.id === id };
}

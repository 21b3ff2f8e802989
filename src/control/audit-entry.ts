import type { AuditEntry } from "../domain/worker.ts";
import type { ActingContext } from "./context.ts";

/** A line of the audit about what the context's actor does now. */
export const auditEntry = (
  context: ActingContext,
  action: string,
  target: string,
  details: AuditEntry["details"],
): AuditEntry => ({
  id: context.newId(),
  at: context.now(),
  actorId: context.actor.id,
  actorEmail: context.actor.email,
  action,
  target,
  details,
});

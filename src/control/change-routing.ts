/** Change the route table, from the first call until the change is visible. */
import type { DomainError } from "../domain/errors.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { RoutingCommand } from "../domain/routing-change.ts";
import type { RoutingDiff } from "../domain/routing-diff.ts";
import type { ActingContext } from "./context.ts";
import { drive, outcomeUnknown } from "./drive.ts";

/** When it returns a difference, every later request is routed by the new table. */
export async function changeRouting(
  context: ActingContext,
  command: RoutingCommand,
): Promise<Result<RoutingDiff, DomainError>> {
  const id = context.newId();
  const over = await drive(() => {
    const lock = context.routingLock();
    return {
      begin: () => lock.begin({ id, command, actor: context.actor }),
      confirm: (known: string) => lock.confirm(known),
    };
  });
  if (typeof over === "string") return err(outcomeUnknown(over));
  return over.state === "refused" ? err(over.error) : ok(over.diff);
}

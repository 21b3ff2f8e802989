/** The route table, read and changed where it is registered. */
import { changeRouting as change } from "../control/change-routing.ts";
import type { ActingContext, ControlContext } from "../control/context.ts";
import { EMPTY_ROUTE_TABLE, type RouteTable } from "../domain/route-table.ts";
import type { RoutingCommand } from "../domain/routing-change.ts";
import type { RoutingDiff } from "../domain/routing-diff.ts";
import { accept } from "./envelope.ts";

/** No table has this number: the answer always brings the table. */
const NO_SEQ = -1;

/** The table as the gateway has it now; the ledger may be a moment ahead or behind. */
export async function routeTable(context: ControlContext): Promise<RouteTable> {
  const { table } = await context.routingLock().table(NO_SEQ);
  return table ?? EMPTY_ROUTE_TABLE;
}

/** Change the table, or end the handler with the refusal. When it returns, every later request is routed anew. */
export const changeRouting = async (
  context: ActingContext,
  command: RoutingCommand,
): Promise<RoutingDiff> => accept(await change(context, command));

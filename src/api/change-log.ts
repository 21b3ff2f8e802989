import { logEvent, type LogFields } from "../observability/log.ts";
import type { ApiContext } from "./api-env.ts";

/** The one line of a change that has happened; reads have none. */
export function logChange(c: ApiContext, action: string, fields: LogFields): void {
  const { requestId, context } = c.var;
  logEvent("info", action, { ...fields, actor: context.actor.id, request: requestId });
}

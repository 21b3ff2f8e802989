import type { WorkerId } from "../domain/ids.ts";
import type { GatewayParts } from "./gateway-parts.ts";
import { dispatchedMethod, type TailedVersion, toTailEvent } from "./tail-item.ts";

/** What the runtime tells of a version's invocations goes to whoever tails its Worker. Never rejects. */
export async function collectTail(
  { tailed, tailDispatches, tailSender, now }: GatewayParts,
  version: TailedVersion,
  items: readonly TraceItem[],
): Promise<void> {
  const workerId = version.workerId as WorkerId;
  const isTailed = tailed.has(workerId);
  for (const item of items) {
    const method = dispatchedMethod(item);
    const dispatch =
      method === null ? null : tailDispatches.take(version.versionId, method, item.eventTimestamp);
    // An invocation that outlived the tail.
    if (!isTailed) continue;
    const event = toTailEvent(item, version, now(), dispatch);
    if (event !== null) tailSender.add(workerId, event);
  }
  if (isTailed) await tailSender.send();
}

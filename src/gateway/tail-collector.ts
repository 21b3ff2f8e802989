import { WorkerEntrypoint } from "cloudflare:workers";
import type { Gateway } from "./gateway.ts";
import type { TailedVersion } from "./tail-item.ts";

/**
 * What the runtime tells of each invocation of a version that is loaded for tailing. No deployed code holds it; whose
 * invocations they are comes from its props alone.
 */
export function defineTailCollector<Env>(gatewayOf: (env: Env) => Gateway) {
  return class TailCollector extends WorkerEntrypoint<Env, TailedVersion> {
    override async tail(items: TraceItem[]): Promise<void> {
      await gatewayOf(this.env).tail(this.ctx.props, items);
    }
  };
}

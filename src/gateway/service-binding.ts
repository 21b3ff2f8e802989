import { WorkerEntrypoint } from "cloudflare:workers";
import type { Gateway } from "./gateway.ts";
import { isReplayable } from "./handler.ts";
import { type GatewayContext, requestScope, type ServiceBindingProps } from "./request-scope.ts";

type Method = (...args: unknown[]) => Promise<unknown>;

/**
 * The entrypoint behind a version's service bindings. Its methods are whatever the target's are: each name
 * that RPC asks for is passed on. What it is bound to comes from its props alone.
 */
export function defineServiceBinding<Env>(gatewayOf: (env: Env) => Gateway) {
  return class ServiceBinding extends WorkerEntrypoint<Env, ServiceBindingProps> {
    constructor(ctx: ExecutionContext<ServiceBindingProps>, env: Env) {
      super(ctx, env);
      const { props } = ctx;
      const scope = requestScope(ctx as unknown as GatewayContext);
      const fetch = (request: Request): Promise<Response> =>
        gatewayOf(env).callService(scope, props, {
          headers: request.headers,
          replayable: isReplayable(request),
          call: (entrypoint) => entrypoint.fetch(request),
        });
      const method =
        (name: string): Method =>
        (...args) =>
          gatewayOf(env).callService(scope, props, {
            headers: null,
            replayable: false,
            call: (entrypoint) => (entrypoint as unknown as Record<string, Method>)[name]!(...args),
          });
      return new Proxy(this, {
        get(target, key) {
          if (typeof key === "symbol" || key === "then" || key in Object.prototype) {
            return Reflect.get(target, key) as unknown;
          }
          return key === "fetch" ? fetch : method(key);
        },
      });
    }
  };
}

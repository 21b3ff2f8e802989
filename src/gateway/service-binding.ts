import { WorkerEntrypoint } from "cloudflare:workers";
import type { Gateway } from "./gateway.ts";
import { isReplayable } from "./handler.ts";
import { type GatewayContext, requestScope, type ServiceBindingProps } from "./request-scope.ts";
import { type FarSide, farProperty, isPassedOn } from "./rpc-path.ts";

type Far = Readonly<Record<string, unknown>>;

/**
 * The entrypoint behind a version's service bindings. Its methods and properties are whatever the target's are: each
 * name that RPC asks for is passed on. What it is bound to comes from its props alone.
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
          serveAsset: async (assets, visit) =>
            assets.hasNone(visit.versionId)
              ? null
              : ((await assets.serve(visit, request))?.response ?? null),
          replayable: isReplayable(request),
          call: (entrypoint) => entrypoint.fetch(request),
        });
      const far: FarSide = {
        call: (path, args) =>
          gatewayOf(env).callService(scope, props, {
            headers: null,
            replayable: false,
            call: (entrypoint) => {
              const owner = at(entrypoint, path.slice(0, -1));
              return (owner[path.at(-1)!] as Method)(...args);
            },
          }),
        get: (path) =>
          gatewayOf(env).callService(scope, props, {
            headers: null,
            replayable: false,
            call: (entrypoint) => at(entrypoint, path) as unknown as Promise<unknown>,
          }),
      };
      return new Proxy(this, {
        get(target, key) {
          if (key === "then" || !isPassedOn(key)) return Reflect.get(target, key) as unknown;
          return key === "fetch" ? fetch : farProperty(far, [key]);
        },
      });
    }
  };
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/** A stub's property is a stub of that property. */
function at(entrypoint: Fetcher, path: readonly string[]): Far {
  let found = entrypoint as unknown as Far;
  for (const name of path) found = found[name] as Far;
  return found;
}

import type { Context } from "hono";
import { bindingStubs, deploymentVersionsMax } from "../control/config.ts";
import type { ActingContext, ControlContext } from "../control/context.ts";

/** The operator's settings as the API needs them. */
export interface ApiConfig {
  /** `<worker>.<this>` are the Workers' own hosts. */
  readonly workersDomain: string;
  readonly publicScheme: string;
  /** Empty: the scheme's own. */
  readonly publicPort: string;
  readonly accountName: string;
  /** Versions that one deployment may split traffic over. */
  readonly deploymentVersionsMax: number;
  /** Bindings that nothing here can run are kept, and fail when they are used. */
  readonly bindingStubs: boolean;
}

export const apiConfigOf = (env: Env): ApiConfig => ({
  workersDomain: env.WORKERS_DOMAIN.toLowerCase(),
  publicScheme: env.PUBLIC_SCHEME,
  publicPort: env.PUBLIC_PORT,
  accountName: env.ACCOUNT_NAME,
  deploymentVersionsMax: deploymentVersionsMax(env),
  bindingStubs: bindingStubs(env),
});

/** Given by the composition root; called once a request. A context is a plain object. */
export type ContextFor = (env: Env, execution: ExecutionContext) => ControlContext;

/** `context.actor` is whoever the token belongs to; there is a context behind authentication alone. */
export interface ApiEnv {
  Bindings: Env;
  Variables: { requestId: string; config: ApiConfig; context: ActingContext };
}

export type ApiContext = Context<ApiEnv>;

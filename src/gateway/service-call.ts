import { whyStopped } from "../domain/breaker.ts";
import type { WorkerId } from "../domain/ids.ts";
import { SERVICE_CALLS_IN_FLIGHT_MAX } from "../domain/limits.ts";
import type { WorkerHost } from "../domain/route-table.ts";
import type { AssetServer, AssetVisit } from "./assets/asset-server.ts";
import { chooseVersion } from "./choose-version.ts";
import type { GatewayParts } from "./gateway-parts.ts";
import { RESERVED_PREFIX } from "./injected-modules.ts";
import type { RequestScope, ServiceBindingProps } from "./request-scope.ts";

/** One use of a service binding. */
export interface ServiceCall<T> {
  /** null for RPC, which has none. */
  readonly headers: Headers | null;
  /** Given for `fetch`: the other Worker's static assets answer it as they do visitors' requests. */
  readonly serveAsset?: (assets: AssetServer, visit: AssetVisit) => Promise<T | null>;
  readonly replayable: boolean;
  readonly call: (entrypoint: Fetcher) => Promise<T>;
}

/**
 * Calls another Worker the way a visitor reaches it: by its current deployment, looked up anew for every
 * call. `fetch` obeys the override and key headers of its request; RPC has no headers and is left to chance.
 *
 * A loop of bindings (A calls B calls A …) cannot be told from its headers, which are the Workers' own to
 * write. It ends when too many calls from one Worker to another are in flight.
 */
export async function callService<T>(
  gateway: GatewayParts,
  scope: RequestScope,
  props: ServiceBindingProps,
  { headers, serveAsset, replayable, call }: ServiceCall<T>,
): Promise<T> {
  const subject = `Service binding "${props.binding}"`;
  if (props.entrypoint?.startsWith(RESERVED_PREFIX)) {
    throw new Error(`${subject} cannot name the entrypoint "${props.entrypoint}": it is reserved.`);
  }
  using _ = enterCall(gateway.serviceCalls, props);
  const { target, deployment } = await gateway.current.resolve<WorkerHost | null>(
    scope,
    (routing) => routing.workersByName.get(props.workerName) ?? null,
    (worker) => worker?.workerId ?? null,
  );
  if (!target) throw new Error(`${subject}: there is no Worker named "${props.workerName}".`);
  const workerId: WorkerId = target.workerId;
  const { overridePolicy, random } = gateway;
  const choice =
    deployment &&
    chooseVersion(deployment, { id: workerId, name: target.name }, headers, overridePolicy, random);
  if (!deployment || !choice?.versionId) {
    throw new Error(`${subject}: the Worker "${target.name}" has no deployment yet.`);
  }
  gateway.runner.noteDeployment(workerId, deployment);
  const stopped = gateway.stopped.find(workerId, choice.versionId, deployment.seq);
  if (stopped) throw new Error(`${subject}: ${whyStopped(stopped)}`);
  if (serveAsset !== undefined && props.entrypoint === undefined) {
    const visit = { workerId, versionId: choice.versionId, seq: deployment.seq };
    const asset = await serveAsset(gateway.assets, visit);
    if (asset !== null) return asset;
  }
  const options = props.props === undefined ? {} : { props: props.props };
  // Awaited here: the call counts as in flight until it is over.
  return await gateway.runner.run(scope, {
    workerId,
    versionId: choice.versionId,
    replayable,
    call: (stub) => call(stub.getEntrypoint(props.entrypoint, options)),
  });
}

function enterCall(inFlight: Map<string, number>, props: ServiceBindingProps): Disposable {
  const edge = `${props.callerWorkerId}>${props.workerName}`;
  const count = (inFlight.get(edge) ?? 0) + 1;
  if (count > SERVICE_CALLS_IN_FLIGHT_MAX) {
    throw new Error(
      `Service binding "${props.binding}": ${SERVICE_CALLS_IN_FLIGHT_MAX} calls to the Worker ` +
        `"${props.workerName}" are in flight already. Do the two call each other in a loop?`,
    );
  }
  inFlight.set(edge, count);
  return {
    [Symbol.dispose]() {
      const left = (inFlight.get(edge) ?? 1) - 1;
      if (left > 0) inFlight.set(edge, left);
      else inFlight.delete(edge);
    },
  };
}

import { whyStopped, type Stopped } from "../domain/breaker.ts";
import type { CurrentDeployment } from "../domain/deployment.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import { type HostTarget, resolveHost, type Routing } from "../domain/routing.ts";
import type { OverrideDecision } from "../domain/version-override.ts";
import { logSampled } from "../observability/log-sampler.ts";
import { serveAsset } from "./assets/serve-asset.ts";
import { chooseVersion } from "./choose-version.ts";
import type { Resolved } from "./current-deployment.ts";
import { errorPage, type GatewayErrorKind } from "./error-page.ts";
import type { RequestOutcome } from "./gateway-metrics.ts";
import type { GatewayParts } from "./gateway-parts.ts";
import { ControlPlaneUnavailable, messageOf, VersionLoadError } from "./gateway-errors.ts";
import type { RequestScope } from "./request-scope.ts";
import { ownAnswer } from "./response-headers.ts";
import type { VisitorAddress } from "./visitor-address.ts";

/** What is run for a request. */
interface Dispatch {
  readonly workerId: WorkerId;
  readonly versionId: VersionId;
  /** null on preview hosts. */
  readonly deployment: CurrentDeployment | null;
  readonly override: OverrideDecision;
  /** Above 0 on an isolated gateway: how long ago this was known to be current. */
  readonly staleMs: number;
}

/** `about` is for the visitor. */
type Outcome = Dispatch | { readonly error: GatewayErrorKind; readonly about?: string };

/**
 * A visitor's request: resolve → pick → dispatch. The request goes on as it came: the gateway tells Workers nothing
 * by headers, so there is nothing for a visitor to forge.
 */
export async function handleRequest(
  gateway: GatewayParts,
  request: Request,
  address: VisitorAddress,
  scope: RequestScope,
): Promise<Response> {
  const { metrics, now } = gateway;
  const arrivedAt = now();
  metrics.inFlight++;
  let workerId: WorkerId | null = null;
  let outcome: RequestOutcome = "served";
  let dispatch: Outcome | null = null;
  try {
    const find = (routing: Routing) => resolveHost(routing, address.host, address.path);
    // With warm leases nothing is waited for before the version runs.
    const found =
      gateway.current.peek(scope, find, workerOf) ??
      (await gateway.current.resolve(scope, find, workerOf));
    // A preview is nobody's traffic.
    workerId = found.target.kind === "worker" ? found.target.workerId : null;
    const decided = decideDispatch(gateway, request, found, scope);
    dispatch = decided instanceof Promise ? await decided : decided;
    if ("error" in dispatch) {
      outcome = dispatch.error;
      return errorPage(request, dispatch.error, crypto.randomUUID(), dispatch.about);
    }
    if (dispatch.staleMs > 0) metrics.staleAnswers++;
    const serving = serveAsset(gateway, request, dispatch);
    const asset = serving instanceof Promise ? await serving : serving;
    if (asset) return asset;
    const response = await gateway.runner.run(scope, {
      workerId: dispatch.workerId,
      versionId: dispatch.versionId,
      replayable: isReplayable(request),
      call: (stub) => stub.getEntrypoint().fetch(request),
    });
    const answer = gateway.relay?.relay(response) ?? response;
    return ownAnswer(answer, gateway.identifyVersions ? dispatch : null);
  } catch (error) {
    outcome = kindOf(error);
    const dispatched = dispatch && "versionId" in dispatch ? dispatch : null;
    return failurePage(request, outcome, error, dispatched);
  } finally {
    metrics.inFlight--;
    metrics.count(outcome, workerId, now() - arrivedAt);
    gateway.runner.unloadQuiet(scope);
    gateway.runner.loadAhead(scope, gateway.current.takeUpcoming());
  }
}

const workerOf = (found: HostTarget): WorkerId | null =>
  found.kind === "worker" ? found.workerId : null;

function decideDispatch(
  gateway: GatewayParts,
  request: Request,
  { target, deployment, staleMs }: Resolved<HostTarget>,
  scope: RequestScope,
): Outcome | Promise<Outcome> {
  if (target.kind === "none") {
    return {
      error: target.reason === "previews_disabled" ? "preview_disabled" : "no_such_host",
    };
  }
  const { workerId } = target;
  if (target.kind === "preview")
    return findPreview(gateway, scope, workerId, target.label, staleMs);
  if (!deployment) return { error: "no_deployment" };
  gateway.runner.noteDeployment(workerId, deployment);
  const worker = { id: workerId, name: target.workerName };
  const choice = chooseVersion(
    deployment,
    worker,
    request.headers,
    gateway.overridePolicy,
    gateway.random,
  );
  if (!choice.versionId) return { error: "no_deployment" };
  const stopped = gateway.stopped.find(workerId, choice.versionId, deployment.seq);
  if (stopped) return refuseStopped(stopped);
  return { workerId, versionId: choice.versionId, deployment, override: choice.override, staleMs };
}

async function findPreview(
  gateway: GatewayParts,
  scope: RequestScope,
  workerId: WorkerId,
  label: string,
  staleMs: number,
): Promise<Outcome> {
  const defer = (work: Promise<unknown>) => scope.waitUntil(work);
  const preview = await gateway.previews.find(defer, workerId, label);
  if (!preview) return { error: "preview_not_found" };
  const { versionId } = preview;
  gateway.tailed.hear(workerId, preview.tailed);
  const stopped = preview.stopped ?? gateway.stopped.find(workerId, versionId, null);
  if (stopped) return refuseStopped(stopped);
  return { workerId, versionId, deployment: null, override: { kind: "none" }, staleMs };
}

const refuseStopped = (stopped: Stopped): Outcome => ({
  error: "version_stopped",
  about: whyStopped(stopped),
});

/** Safe methods without a body: a second try, should the code have run after all, changes nothing. */
export const isReplayable = (request: Request): boolean =>
  request.body === null &&
  (request.method === "GET" || request.method === "HEAD" || request.method === "OPTIONS");

const kindOf = (error: unknown): GatewayErrorKind =>
  error instanceof ControlPlaneUnavailable
    ? "control_plane_unavailable"
    : error instanceof VersionLoadError
      ? "version_failed_to_load"
      : "worker_threw";

function failurePage(
  request: Request,
  kind: GatewayErrorKind,
  error: unknown,
  dispatch: Dispatch | null,
): Response {
  const requestId = crypto.randomUUID();
  logSampled("error", kind, dispatch?.versionId ?? "", {
    requestId,
    host: new URL(request.url).hostname,
    workerId: dispatch?.workerId,
    versionId: dispatch?.versionId,
    deploymentId: dispatch?.deployment?.deploymentId,
    error: messageOf(error),
  });
  const about = error instanceof VersionLoadError ? `Version: ${error.versionId}` : null;
  return errorPage(request, kind, requestId, about);
}

/** One chaos gateway: the real reading side of the gateway, which tells what it would have served. */
import type { WorkerId } from "../../../src/domain/ids.ts";
import { resolveHost, type Routing } from "../../../src/domain/routing.ts";
import { CurrentDeployments } from "../../../src/gateway/current-deployment.ts";
import { ControlPlaneUnavailable } from "../../../src/gateway/gateway-errors.ts";
import { StoppedVersions } from "../../../src/gateway/stopped-versions.ts";
import { directPlane, faultyPlane, remotePlane } from "./control-planes.ts";
import {
  markerOf,
  NO_FAULTS,
  WORKERS_DOMAIN,
  type NetworkFaults,
  type ReadAnswer,
} from "./names.ts";

interface GatewayEnv extends Env {
  /** In a process of its own. */
  readonly CONTROL?: Fetcher;
}

let faults: NetworkFaults = NO_FAULTS;
let held: CurrentDeployments | null = null;
const heldBy = (env: GatewayEnv) =>
  (held ??= new CurrentDeployments({
    controlPlane: faultyPlane(
      env.CONTROL === undefined ? directPlane(env) : remotePlane(env.CONTROL),
      () => faults,
    ),
    // Nothing is run here, so nothing is ever stopped.
    stopped: new StoppedVersions(Date.now),
    workersDomain: WORKERS_DOMAIN,
    now: () => Date.now(),
  }));

function find(routing: Routing, host: string): { owner: WorkerId | null; change: number } {
  const target = resolveHost(routing, host, "/");
  const changes = [...routing.domains.keys()].map((domain) => markerOf(domain) ?? 0);
  return {
    owner: target.kind === "worker" ? target.workerId : null,
    change: Math.max(0, ...changes),
  };
}

export default {
  async fetch(request, env, ctx) {
    const url = new URL(request.url);
    if (url.pathname === "/faults") {
      faults = (await request.json()) as NetworkFaults;
      return Response.json({});
    }
    try {
      const { target, deployment, via } = await heldBy(env).resolve(
        { waitUntil: (work) => ctx.waitUntil(work) },
        (routing) => find(routing, url.hostname),
        ({ owner }) => owner,
      );
      const answer: ReadAnswer = { ...target, seq: deployment?.seq ?? 0, via };
      return Response.json(answer);
    } catch (error) {
      const status = error instanceof ControlPlaneUnavailable ? 503 : 500;
      return new Response(String(error), { status });
    }
  },
} satisfies ExportedHandler<GatewayEnv>;

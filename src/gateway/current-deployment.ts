import type { CurrentDeployment } from "../domain/deployment.ts";
import type { WorkerId } from "../domain/ids.ts";
import { CONTROL_PLANE_RETRY_MS, CONTROL_PLANE_TRIES_MAX } from "../domain/limits.ts";
import { buildRouteIndex, type Routing } from "../domain/routing.ts";
import type { ControlPlane } from "./control-plane.ts";
import { ControlPlaneUnavailable } from "./gateway-errors.ts";

/**
 * The one place that decides whether what the gateway knows is current. Every answer is at least as new as
 * the moment of the question: the route table in memory is used only after the control plane has said, since
 * the question, that it has not changed. When nobody can say so, there is no answer, never an old one.
 */
export interface CurrentDeployments {
  currentRouting(): Promise<Routing>;
  /** null: the Worker has no deployment. */
  currentDeployment(workerId: WorkerId): Promise<CurrentDeployment | null>;
  /**
   * Finds a target in the route table and the current deployment of its Worker. Both are asked for at once
   * when the table in memory already names the Worker.
   */
  resolve<T>(
    find: (routing: Routing) => T,
    workerOf: (target: T) => WorkerId | null,
  ): Promise<{ readonly target: T; readonly deployment: CurrentDeployment | null }>;
  /** The newest route table seen, whatever has happened since; null before the first. Not for serving. */
  lastSeenRouting(): Routing | null;
}

/** Asks the control plane each time. */
export function askEachTime(controlPlane: ControlPlane, workersDomain: string): CurrentDeployments {
  let known: { readonly seq: number; readonly routing: Routing } | null = null;

  async function currentRouting(): Promise<Routing> {
    const asked = known;
    const answer = await ask("the route table", () => controlPlane.routeTable(asked?.seq ?? -1));
    if (!answer.table) {
      if (asked?.seq === answer.seq) return asked.routing;
      throw new ControlPlaneUnavailable("the route table", "it sent none");
    }
    // A request that asked at the same time may have built this very index.
    if (known?.seq === answer.seq) return known.routing;
    const routing = buildRouteIndex(answer.table, workersDomain);
    if (!known || answer.seq > known.seq) known = { seq: answer.seq, routing };
    return routing;
  }

  const currentDeployment = (workerId: WorkerId): Promise<CurrentDeployment | null> =>
    ask("the current deployment", () => controlPlane.currentDeployment(workerId));

  return {
    currentRouting,
    currentDeployment,
    lastSeenRouting: () => known?.routing ?? null,
    async resolve(find, workerOf) {
      const guessedFrom = known?.routing;
      const guessedWorker = guessedFrom ? workerOf(find(guessedFrom)) : null;
      const guess = guessedWorker === null ? null : currentDeployment(guessedWorker);
      // If the table cannot be had, or has moved, nobody awaits the guess: its failure is no event.
      guess?.catch(() => {});
      const target = find(await currentRouting());
      const workerId = workerOf(target);
      if (workerId === null) return { target, deployment: null };
      const deployment = await (guess && workerId === guessedWorker
        ? guess
        : currentDeployment(workerId));
      return { target, deployment };
    },
  };
}

/** Asks again, a few times, where the failure says that the next answer may be good. */
export async function ask<T>(question: string, call: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await call();
    } catch (error) {
      if (tries >= CONTROL_PLANE_TRIES_MAX || !mayAskAgain(error)) {
        throw new ControlPlaneUnavailable(question, error);
      }
      await scheduler.wait(CONTROL_PLANE_RETRY_MS * 2 ** (tries - 1));
    }
  }
}

/** An object that was moved or restarted says so; one that is overloaded must not be asked again. */
function mayAskAgain(error: unknown): boolean {
  const said = error as { retryable?: unknown; overloaded?: unknown; durableObjectReset?: unknown };
  if (said.overloaded === true) return false;
  return said.retryable === true || said.durableObjectReset === true;
}

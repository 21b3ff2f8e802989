/** An event that no visitor sends, run on the version that is current now. */
import { whyStopped } from "../domain/breaker.ts";
import type { CurrentDeployment } from "../domain/deployment.ts";
import type { EventDispatch, EventResult, Outcome } from "../domain/event.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import { EVENT_DETAIL_CHARS_MAX } from "../domain/limits-event.ts";
import type { WorkerHost } from "../domain/route-table.ts";
import { chooseVersion } from "./choose-version.ts";
import { prepareEvent, type EventStores, type PreparedEvent } from "./event-handlers.ts";
import { messageOf, VersionLoadError } from "./gateway-errors.ts";
import type { GatewayParts } from "./gateway-parts.ts";
import { CONTROL_ENTRYPOINT } from "./injected-modules.ts";
import type { RequestScope } from "./request-scope.ts";
import type { TailDispatch } from "./tail-dispatches.ts";

/** Never rejects. */
export async function dispatchEvent(
  gateway: GatewayParts,
  scope: RequestScope,
  stores: EventStores,
  { workerId, event }: EventDispatch,
): Promise<EventResult> {
  let current: {
    readonly worker: WorkerHost;
    readonly deployment: CurrentDeployment | null;
  } | null;
  try {
    current = await currentOf(gateway, scope, workerId);
  } catch (error) {
    return { outcome: "unavailable", detail: textOf(error) };
  }
  if (current === null) return { outcome: "no_worker" };
  const { worker, deployment } = current;
  const choice =
    deployment &&
    chooseVersion(
      deployment,
      { id: workerId, name: worker.name },
      null,
      gateway.overridePolicy,
      gateway.random,
    );
  if (!deployment || !choice?.versionId) return { outcome: "no_deployment" };
  const { versionId } = choice;
  gateway.runner.noteDeployment(workerId, deployment);
  const stopped = gateway.stopped.find(workerId, versionId, deployment.seq);
  if (stopped) return { outcome: "stopped", detail: whyStopped(stopped), versionId };
  return run(gateway, scope, { workerId, versionId, prepare: () => prepareEvent(stores, event) });
}

interface Run {
  readonly workerId: WorkerId;
  readonly versionId: VersionId;
  readonly prepare: () => Promise<PreparedEvent | null>;
}

async function run(
  { runner, tailed, tailDispatches, now }: GatewayParts,
  scope: RequestScope,
  { workerId, versionId, prepare }: Run,
): Promise<EventResult> {
  let begun: PreparedEvent | null = null;
  let noted: TailDispatch | null = null;
  // What this throws is taken for a failure of the load, so it throws nothing else.
  const call = async (stub: WorkerStub): Promise<() => Promise<EventResult>> => {
    if (begun !== null) throw new Error("its isolate was lost on the way");
    const control = stub.getEntrypoint(CONTROL_ENTRYPOINT) as unknown as Control;
    // It has started: only now may a batch be taken, which counts as delivering it.
    await control.describe();
    let prepared: PreparedEvent | null;
    try {
      prepared = await prepare();
    } catch (error) {
      return () => Promise.resolve({ outcome: "unavailable", detail: textOf(error) });
    }
    if (prepared === null) return () => Promise.resolve({ outcome: "batch_gone" });
    begun = prepared;
    const { method, tail, argument, ended } = prepared;
    noted = tailed.has(workerId) ? tailDispatches.note(versionId, method, tail, now()) : null;
    const answer = await control[method](argument);
    return () => ended(answer);
  };
  const running = runner.run(scope, { workerId, versionId, replayable: true, call });
  // Whoever sent it may go away; it goes on.
  scope.waitUntil(running.catch(() => undefined));
  let result: EventResult;
  try {
    const ended = await running;
    result = await ended();
  } catch (error) {
    result = { outcome: outcomeOf(error, begun !== null), detail: textOf(error) };
    await (begun as PreparedEvent | null)?.failed();
  }
  if (noted !== null)
    (noted as TailDispatch).outcome = result.outcome === "ok" ? "ok" : "exception";
  return { ...result, versionId };
}

function outcomeOf(error: unknown, hasBegun: boolean): Outcome {
  if (hasBegun) return "exception";
  return error instanceof VersionLoadError ? "load_failed" : "unavailable";
}

/** The control entrypoint of a version. What it answers comes from the version's own isolate. */
type Control = Readonly<
  Record<PreparedEvent["method"], (argument: unknown) => Promise<unknown>>
> & {
  describe(): Promise<unknown>;
};

async function currentOf(gateway: GatewayParts, scope: RequestScope, workerId: WorkerId) {
  const { target, deployment } = await gateway.current.resolve<WorkerHost | null>(
    scope,
    (routing) => routing.workersById.get(workerId) ?? null,
    (worker) => worker?.workerId ?? null,
  );
  return target && { worker: target, deployment };
}

const textOf = (error: unknown): string => messageOf(error).slice(0, EVENT_DETAIL_CHARS_MAX);

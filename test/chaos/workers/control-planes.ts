/** The gateway's ControlPlane in the two ways that it is reached, and over a network that fails. */
import { accountIdOf } from "../../../src/control/config.ts";
import type { WorkerId } from "../../../src/domain/ids.ts";
import type { ControlPlane } from "../../../src/gateway/control-plane.ts";
import { openDatabase } from "../../../src/store/database.ts";
import { readLedger } from "../../../src/store/deployments.ts";
import { readRoutingLedger } from "../../../src/store/routing.ts";
import type { WorkerLock } from "../../../src/control/worker-lock.ts";
import type { RoutingLock } from "../../../src/control/routing-lock.ts";
import type { NetworkFaults } from "./names.ts";

/** Nothing here loads code. */
const NO_CODE = {
  previewVersion: async () => null,
  version: async () => null,
  assets: async () => null,
  assetFallbacks: async () => "[]",
  assetBytes: async () => null,
  tailEvents: async () => undefined,
};

/** By the objects and the database themselves, as src/index.ts has it. */
export function directPlane(env: Env): ControlPlane {
  const db = openDatabase(env.DB);
  const workerLock = (id: WorkerId) =>
    env.WORKER_LOCK.getByName(id) as unknown as DurableObjectStub<WorkerLock>;
  const routingLock = () =>
    env.ROUTING_LOCK.getByName(accountIdOf(env)) as unknown as DurableObjectStub<RoutingLock>;
  return {
    ...NO_CODE,
    leaseDeployment: async (workerId) => workerLock(workerId).lease(),
    leaseRouting: async (knownSeq) => routingLock().lease(knownSeq),
    ledgerDeployment: (workerId) => readLedger(db, workerId),
    ledgerRouting: () => readRoutingLedger(db, accountIdOf(env)),
  } as ControlPlane;
}

type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string; readonly retryable: boolean };

/** For {@link remotePlane}, on the other side. */
export async function servePlane(
  plane: ControlPlane,
  { method, args }: { method: string; args: never[] },
): Promise<Answer> {
  try {
    const call = plane[method as keyof ControlPlane] as (...args: never[]) => Promise<unknown>;
    return { ok: true, value: await call(...args) };
  } catch (error) {
    const said = error as { retryable?: unknown; durableObjectReset?: unknown };
    const retryable = said.retryable === true || said.durableObjectReset === true;
    return { ok: false, message: String(error), retryable };
  }
}

/** From another process, over HTTP: it lives on when that one is killed, and may be paused by itself. */
export function remotePlane(control: Fetcher): ControlPlane {
  const call =
    (method: string) =>
    async (...args: unknown[]) => {
      const response = await control.fetch("http://control/plane", {
        method: "POST",
        body: JSON.stringify({ method, args }),
      });
      const answer = (await response.json()) as Answer;
      if (answer.ok) return answer.value;
      throw Object.assign(new Error(answer.message), { retryable: answer.retryable });
    };
  return {
    ...NO_CODE,
    leaseDeployment: call("leaseDeployment"),
    leaseRouting: call("leaseRouting"),
    ledgerDeployment: call("ledgerDeployment"),
    ledgerRouting: call("ledgerRouting"),
  } as ControlPlane;
}

/** Whatever is asked of a lock may be lost on its way there, or its answer on the way back. The ledger answers. */
export function faultyPlane(plane: ControlPlane, faults: () => NetworkFaults): ControlPlane {
  const over = async <T>(call: () => Promise<T>): Promise<T> => {
    const { cut, requestLoss, replyLoss, delayMs } = faults();
    if (cut || Math.random() < requestLoss) throw await lost();
    if (delayMs > 0) await scheduler.wait(Math.random() * delayMs);
    const answer = await call();
    if (delayMs > 0) await scheduler.wait(Math.random() * delayMs);
    if (Math.random() < replyLoss) throw await lost();
    return answer;
  };
  return {
    ...plane,
    leaseDeployment: (workerId) => over(() => plane.leaseDeployment(workerId)),
    leaseRouting: (knownSeq) => over(() => plane.leaseRouting(knownSeq)),
  };
}

/** A message that got lost is noticed some time later. */
async function lost(): Promise<Error> {
  await scheduler.wait(20);
  return new Error("chaos: lost");
}

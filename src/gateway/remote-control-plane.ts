import type { ControlPlane } from "./control-plane.ts";
import type { ControlPlaneCalls, Told } from "./control-plane-entrypoint.ts";
import { fromWire } from "./version-wire.ts";

/** The control plane in another process, through the stub of its {@link ControlPlaneCalls}. */
export function remoteControlPlane(stub: Fetcher): ControlPlane {
  const calls = stub as unknown as ControlPlaneCalls;
  return {
    leaseDeployment: (workerId) => heard(calls.leaseDeployment(workerId)),
    leaseRouting: (knownSeq) => heard(calls.leaseRouting(knownSeq)),
    ledgerDeployment: (workerId) => heard(calls.ledgerDeployment(workerId)),
    ledgerRouting: () => heard(calls.ledgerRouting()),
    previewVersion: (workerId, label) => heard(calls.previewVersion(workerId, label)),
    assets: (workerId, versionId) => heard(calls.assets(workerId, versionId)),
    assetFallbacks: (workerId, versionId) => heard(calls.assetFallbacks(workerId, versionId)),
    assetBytes: (sha256, part) => heard(calls.assetBytes(sha256, part)),
    tailEvents: (workerId, batch) => heard(calls.tailEvents(workerId, batch)),
    async version(workerId, versionId) {
      const wire = await heard(calls.version(workerId, versionId));
      return wire && fromWire(wire.head, wire.stream);
    },
  };
}

async function heard<T>(answer: Promise<Told<T>>): Promise<T> {
  let told: Told<T>;
  try {
    told = await answer;
  } catch (error) {
    // The process is not there just now: it is being started again.
    const text = `its process does not answer (${error instanceof Error ? error.message : String(error)})`;
    throw Object.assign(new Error(text, { cause: error }), { retryable: true });
  }
  if (told.ok) return told.value;
  const { message, overloaded, retryable } = told;
  throw Object.assign(new Error(message), { overloaded, retryable });
}

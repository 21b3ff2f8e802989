/** Which code a Durable Object runs now, and how its class is got. */
import { whyStopped } from "../../domain/breaker.ts";
import type { CurrentDeployment } from "../../domain/deployment.ts";
import type { DurableClass } from "../../domain/durable-migration.ts";
import type { VersionId, WorkerId } from "../../domain/ids.ts";
import { pickVersion, pointOfKey } from "../../domain/traffic.ts";
import type { ReadScope } from "../current-deployment.ts";
import type { GatewayParts } from "../gateway-parts.ts";
import type { RequestScope } from "../request-scope.ts";
import type { ObjectAddress } from "./object-address.ts";
import type { ObjectTarget } from "./object-host-calls.ts";

export interface ObjectClass extends DurableClass {
  /** Of the version; usable within the event that asked for it. */
  readonly stub: WorkerStub;
}

/** There is no code for an object just now, or none any more: none of it has run. */
export class NoObjectCode extends Error {
  override readonly name = "NoObjectCode";
  /** The namespace is not the Worker's any more. */
  readonly isGone: boolean;

  constructor(message: string, isGone = false) {
    super(message);
    this.isGone = isGone;
  }
}

export interface ObjectVersions {
  /** {@link resolve}, as far as memory goes: null when a lock has to be asked. */
  peek(scope: ReadScope, address: ObjectAddress): ObjectTarget | null;
  /**
   * By the current deployment of the Worker that has the namespace now; where it splits traffic, the same version for the
   * same object always.
   */
  resolve(scope: ReadScope, address: ObjectAddress): Promise<ObjectTarget>;
  /** Loads it if need be. Throws `NoObjectCode` when the version has no such class. */
  load(
    scope: RequestScope,
    code: {
      readonly workerId: WorkerId;
      readonly versionId: VersionId;
      readonly namespaceId: string;
    },
  ): Promise<ObjectClass>;
}

export function objectVersions(gateway: GatewayParts): ObjectVersions {
  const choose = (address: ObjectAddress, deployment: CurrentDeployment | null): ObjectTarget => {
    const { workerId, objectId } = address;
    const point = pointOfKey(workerId, objectId);
    const versionId = deployment && pickVersion(deployment.versions, point);
    if (!deployment || versionId === null) {
      throw new NoObjectCode("The Durable Object cannot run: its Worker has no deployment.");
    }
    gateway.runner.noteDeployment(workerId, deployment);
    const stopped = gateway.stopped.find(workerId, versionId, deployment.seq);
    if (stopped) throw new NoObjectCode(`The Durable Object cannot run: ${whyStopped(stopped)}`);
    return { address, dispatch: { seq: deployment.seq, versionId } };
  };
  return {
    peek(scope, address) {
      for (let at = address; ;) {
        const held = gateway.current.peekWorker(scope, at.workerId);
        if (held === null) return null;
        const next = gateway.given.stepOn(at);
        if (next === null) return choose(at, held.value);
        at = next;
      }
    },
    async resolve(scope, address) {
      for (let at = address; ;) {
        const { value } = await gateway.current.readWorker(scope, at.workerId);
        const next = gateway.given.stepOn(at);
        if (next === null) return choose(at, value);
        at = next;
      }
    },
    async load(scope, { workerId, versionId, namespaceId }) {
      const { stub, durableClasses } = await gateway.runner.ready(scope, { workerId, versionId });
      const found = durableClasses.find((each) => each.namespaceId === namespaceId);
      if (found === undefined)
        throw new NoObjectCode("The Durable Object's class has been deleted.", true);
      return { ...found, stub };
    },
  };
}

import { WorkerEntrypoint } from "cloudflare:workers";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import type { TailBatch } from "../domain/tail-event.ts";
import { count } from "../observability/counters.ts";
import type { AssetPart, ControlPlane } from "./control-plane.ts";
import { toWire, type WireVersion } from "./version-wire.ts";

/** An answer, or an error with what the asker has to know of it: errors lose their marks between processes. */
export type Told<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly message: string;
      /** Not to be asked again now. */
      readonly overloaded: boolean;
      /** Asking again may help at once. */
      readonly retryable: boolean;
    };

type Answer<Name extends keyof ControlPlane> = Awaited<ReturnType<ControlPlane[Name]>>;

/** The control plane's calls as another process has them; a version travels in its wire form. */
export interface ControlPlaneCalls {
  leaseDeployment(workerId: WorkerId): Promise<Told<Answer<"leaseDeployment">>>;
  leaseRouting(knownSeq: number): Promise<Told<Answer<"leaseRouting">>>;
  ledgerDeployment(workerId: WorkerId): Promise<Told<Answer<"ledgerDeployment">>>;
  ledgerRouting(): Promise<Told<Answer<"ledgerRouting">>>;
  previewVersion(workerId: WorkerId, label: string): Promise<Told<Answer<"previewVersion">>>;
  version(workerId: WorkerId, versionId: VersionId): Promise<Told<WireVersion | null>>;
  assets(workerId: WorkerId, versionId: VersionId): Promise<Told<Answer<"assets">>>;
  assetFallbacks(workerId: WorkerId, versionId: VersionId): Promise<Told<string>>;
  assetBytes(sha256: string, part: AssetPart | null): Promise<Told<Answer<"assetBytes">>>;
  tailEvents(workerId: WorkerId, batch: TailBatch): Promise<Told<void>>;
}

/**
 * The control plane's door for gateways in other processes of this machine, behind a socket that nobody else
 * can reach. `operate` answers plain HTTP there: the supervisor's.
 */
export function defineControlPlaneEntrypoint<Env>(
  controlPlaneOf: (env: Env) => ControlPlane,
  operate: (request: Request, env: Env, ctx: ExecutionContext) => Response | Promise<Response>,
) {
  return class ControlPlaneEntrypoint extends WorkerEntrypoint<Env> implements ControlPlaneCalls {
    override async fetch(request: Request): Promise<Response> {
      return operate(request, this.env, this.ctx);
    }

    leaseDeployment(workerId: WorkerId) {
      return tell("leaseDeployment", controlPlaneOf(this.env).leaseDeployment(workerId));
    }

    leaseRouting(knownSeq: number) {
      return tell("leaseRouting", controlPlaneOf(this.env).leaseRouting(knownSeq));
    }

    ledgerDeployment(workerId: WorkerId) {
      return tell("ledgerDeployment", controlPlaneOf(this.env).ledgerDeployment(workerId));
    }

    ledgerRouting() {
      return tell("ledgerRouting", controlPlaneOf(this.env).ledgerRouting());
    }

    previewVersion(workerId: WorkerId, label: string) {
      return tell("previewVersion", controlPlaneOf(this.env).previewVersion(workerId, label));
    }

    assets(workerId: WorkerId, versionId: VersionId) {
      return tell("assets", controlPlaneOf(this.env).assets(workerId, versionId));
    }

    assetFallbacks(workerId: WorkerId, versionId: VersionId) {
      return tell("assetFallbacks", controlPlaneOf(this.env).assetFallbacks(workerId, versionId));
    }

    assetBytes(sha256: string, part: AssetPart | null) {
      return tell("assetBytes", controlPlaneOf(this.env).assetBytes(sha256, part));
    }

    tailEvents(workerId: WorkerId, batch: TailBatch) {
      return tell("tailEvents", controlPlaneOf(this.env).tailEvents(workerId, batch));
    }

    version(workerId: WorkerId, versionId: VersionId) {
      const version = controlPlaneOf(this.env).version(workerId, versionId);
      return tell(
        "version",
        version.then((found) => found && toWire(found)),
      );
    }
  };
}

async function tell<T>(ask: keyof ControlPlane, answer: Promise<T>): Promise<Told<T>> {
  count("asks", { ask });
  try {
    return { ok: true, value: await answer };
  } catch (error) {
    const said = error as {
      overloaded?: unknown;
      retryable?: unknown;
      durableObjectReset?: unknown;
    };
    return {
      ok: false,
      message: error instanceof Error ? error.message : String(error),
      overloaded: said.overloaded === true,
      retryable: said.retryable === true || said.durableObjectReset === true,
    };
  }
}

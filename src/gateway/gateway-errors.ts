import type { VersionId } from "../domain/ids.ts";

/** The control plane did not answer, so nobody knows what is current. Nothing stale is served instead. */
export class ControlPlaneUnavailable extends Error {
  override readonly name = "ControlPlaneUnavailable";

  constructor(question: string, cause: unknown) {
    super(`The control plane could not be asked for ${question}: ${messageOf(cause)}`, { cause });
  }
}

/** A version could not be loaded or did not start: none of its code answered. */
export class VersionLoadError extends Error {
  override readonly name = "VersionLoadError";
  readonly versionId: VersionId;
  /** What the runtime said. For the Worker's own people, not for visitors. */
  readonly detail: string;

  constructor(versionId: VersionId, detail: string) {
    super(`Version ${versionId} could not be started: ${detail}`);
    this.versionId = versionId;
    this.detail = detail;
  }
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

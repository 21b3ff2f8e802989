/** Where the namespace of a Durable Object binding is, as one text among a version's resources. */
import type { WorkerId } from "./ids.ts";

export interface DurableResource {
  /** Whose class it is; empty: it is not there any more. */
  readonly workerId: WorkerId;
  readonly namespaceId: string;
  /** In whose process and directory its objects are. */
  readonly home: WorkerId;
  /** How often it has been transferred. */
  readonly transfers: number;
}

/** `<Worker id>/<namespace id>/<home>/<transfers>`. The store writes the same; see `store/resources`. */
export const durableResource = (at: DurableResource): string =>
  [at.workerId, at.namespaceId, at.home, at.transfers].join("/");

export function readDurableResource(text: string): DurableResource {
  const [workerId = "", namespaceId = "", home = workerId, transfers = "0"] = text.split("/");
  return {
    workerId: workerId as WorkerId,
    namespaceId,
    home: home as WorkerId,
    transfers: Number(transfers),
  };
}

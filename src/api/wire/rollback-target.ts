import type { Chosen } from "../../control/rollback.ts";
import type { SkipReason } from "../../domain/rollback-target.ts";
import { toWireTime } from "./time.ts";

const WHY: Readonly<Record<SkipReason, string>> = {
  current: "it serves now",
  left_by_rollback: "the rollbacks before this one have left it",
  stopped: "it was stopped when it served last, because it took its process down again and again",
};

/** What a rollback would go to, and why to that and not to what was fully deployed later. */
export function toWireTarget({ versionId, current, choice }: Chosen) {
  const target = choice?.target ?? null;
  return {
    version_id: versionId,
    current_deployment_id: current?.deploymentId ?? null,
    ...(target === null
      ? { why: "The target names it." }
      : {
          number: target.number,
          ...(target.tag === null ? {} : { tag: target.tag }),
          last_fully_deployed: {
            deployment_id: target.last.id,
            sequence: target.last.seq,
            created_on: toWireTime(target.last.createdOn),
          },
          why: "It is the last version that had all of the traffic, of those that are not skipped.",
        }),
    skipped: (choice?.skipped ?? []).map((skip) => ({
      version_id: skip.versionId,
      reason: skip.reason,
      why: WHY[skip.reason],
    })),
  };
}

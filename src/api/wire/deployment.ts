import type { Deployment } from "../../domain/deployment.ts";
import { toWireTime } from "./time.ts";
import { toWireWarning } from "./warnings.ts";

export const toWireDeployment = (deployment: Deployment) => ({
  id: deployment.id,
  source: deployment.author.source,
  strategy: "percentage",
  author_email: deployment.author.email,
  annotations: {
    "workers/triggered_by": deployment.triggeredBy,
    ...(deployment.left === undefined
      ? {}
      : { "workers/rollback_from": deployment.left.join(",") }),
    ...(deployment.message === "" ? {} : { "workers/message": deployment.message }),
  },
  created_on: toWireTime(deployment.createdOn),
  versions: deployment.versions.map(({ versionId, percentage }) => ({
    version_id: versionId,
    percentage,
  })),
  ...(deployment.warnings === undefined
    ? {}
    : { warnings: deployment.warnings.map(toWireWarning) }),
});

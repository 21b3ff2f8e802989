import type { Deployment } from "../../domain/deployment.ts";
import { toWireTime } from "./time.ts";

export const toWireDeployment = (deployment: Deployment) => ({
  id: deployment.id,
  source: deployment.author.source,
  strategy: "percentage",
  author_email: deployment.author.email,
  annotations: {
    "workers/triggered_by": deployment.triggeredBy,
    ...(deployment.message === "" ? {} : { "workers/message": deployment.message }),
  },
  created_on: toWireTime(deployment.createdOn),
  versions: deployment.versions.map(({ versionId, percentage }) => ({
    version_id: versionId,
    percentage,
  })),
});

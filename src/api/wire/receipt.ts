import type { Receipt } from "../../domain/receipt.ts";
import { toWireTime } from "./time.ts";

export const toWireReceipt = (receipt: Receipt) => ({
  deployment_id: receipt.deploymentId,
  sequence: receipt.seq,
  accepted_on: toWireTime(receipt.acceptedOn),
  drained_on: toWireTime(receipt.drainedOn),
  flipped_on: toWireTime(receipt.flippedOn),
  acknowledged_on: toWireTime(receipt.acknowledgedOn),
  versions: receipt.versions.map(({ versionId, percentage }) => ({
    version_id: versionId,
    percentage,
  })),
  covers:
    receipt.coverage === null
      ? null
      : {
          workers_host: receipt.coverage.workersHost,
          routes: receipt.coverage.routes,
          domains: receipt.coverage.domains,
        },
});

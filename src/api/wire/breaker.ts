import type { OpenBreaker } from "../../domain/breaker.ts";
import { toWireTime } from "./time.ts";

export const toWireBreaker = (breaker: OpenBreaker) => ({
  version_id: breaker.versionId,
  deployment_id: breaker.deploymentId,
  reason: breaker.reason,
  strikes: breaker.strikes,
  stopped_on: toWireTime(breaker.stoppedOn),
});

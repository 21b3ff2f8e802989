/** What warnings are decided on, as it is under the lock. */
import type { CurrentDeployment, TrafficShare } from "../domain/deployment.ts";
import type { D1AppliedById } from "../domain/d1-applied.ts";
import type { WarnedVersion, WarningFacts } from "../domain/deployment-warnings.ts";
import type { WorkerId } from "../domain/ids.ts";
import type { Database } from "../store/database.ts";
import { countTriggers, d1WhenLastServed, findWarnedVersion } from "../store/warned-versions.ts";

export async function warningFacts(
  db: Database,
  workerId: WorkerId,
  current: CurrentDeployment | null,
  shares: readonly TrafficShare[],
  d1Now: D1AppliedById,
): Promise<WarningFacts> {
  const served = (current?.versions ?? []).map((share) => share.versionId);
  const entering = shares.map((share) => share.versionId).filter((id) => !served.includes(id));
  const [coming, serving, triggers] = await Promise.all([
    Promise.all(
      entering.map(async (id): Promise<WarnedVersion> => ({
        ...(await findWarnedVersion(db, id)),
        d1Then: await d1WhenLastServed(db, workerId, id),
      })),
    ),
    Promise.all(served.map(async (id) => ({ ...(await findWarnedVersion(db, id)), d1Then: {} }))),
    countTriggers(db, workerId),
  ]);
  return { coming, serving, d1Now, ...triggers };
}

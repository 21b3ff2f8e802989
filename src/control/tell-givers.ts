/** Tells Workers that classes of theirs have gone to another one, so that whoever still means theirs is led on. */
import type { Deployment } from "../domain/deployment.ts";
import type { Database } from "../store/database.ts";
import { findGivers } from "../store/durable-state.ts";

interface GiversLock {
  noteGiven(): Promise<number>;
}

/** For the lock of the Worker that has received them, once history has its deployment. False: it has received none. */
export async function tellGivers(
  db: Database,
  locks: Env["WORKER_LOCK"],
  { versions }: Pick<Deployment, "versions">,
): Promise<boolean> {
  const ids = versions.map(({ versionId }) => versionId);
  const givers = await findGivers(db, ids);
  for (const giver of givers) await (locks.getByName(giver) as unknown as GiversLock).noteGiven();
  return givers.length > 0;
}

/** A long past for a Worker, written into the database of a host that is stopped. */
import { join } from "node:path";
import { openHistory } from "./open-history.ts";

/** Continues the Worker's history up to `count` deployments, each a minute after the one before. */
export function seedDeployments(directory: string, worker: string, count: number): void {
  const database = openHistory(join(directory, "storage"));
  try {
    database.exec("BEGIN");
    database
      .prepare(
        `INSERT INTO deployments (id, worker_id, seq, status, intent_id, created_on, activated_on, deleted_on,
           triggered_by, message, author_id, author_email, source)
         WITH RECURSIVE places (seq) AS (SELECT 2 UNION ALL SELECT seq + 1 FROM places WHERE seq < ?)
         SELECT printf('%s-%012x', substr(first.id, 1, 23), places.seq), first.worker_id, places.seq,
           'active', printf('%s-%012x', substr(first.intent_id, 1, 23), places.seq),
           first.created_on + (places.seq - 1) * 60000, first.activated_on + (places.seq - 1) * 60000,
           NULL, 'deployment', 'Deployment ' || places.seq, first.author_id, first.author_email, first.source
         FROM places, deployments AS first JOIN workers ON workers.id = first.worker_id
         WHERE first.seq = 1 AND workers.name = ?`,
      )
      .run(count, worker);
    database
      .prepare(
        `INSERT INTO deployment_versions (deployment_id, position, version_id, percentage)
         SELECT later.id, share.position, share.version_id, share.percentage
         FROM workers
         JOIN deployments AS first ON first.worker_id = workers.id AND first.seq = 1
         JOIN deployment_versions AS share ON share.deployment_id = first.id
         JOIN deployments AS later ON later.worker_id = workers.id AND later.seq > 1
         WHERE workers.name = ?`,
      )
      .run(worker);
    database.exec("COMMIT");
  } finally {
    database.close();
  }
}

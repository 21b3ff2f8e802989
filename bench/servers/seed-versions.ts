/** Thousands of versions for a Worker, copied from its first, written into the database of a host that is stopped. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openHistory } from "./open-history.ts";

/**
 * Copies the Worker's first version up to `count` versions, has its deployments name one after the other, and tells when
 * each last served as an upgrade would. The Worker's lock forgets all, so that it takes the history as it finds it.
 */
export function seedVersions(directory: string, worker: string, count: number): void {
  const database = openHistory(join(directory, "storage"));
  try {
    database.exec("BEGIN");
    const columns = database
      .prepare(
        "SELECT name FROM pragma_table_info('versions') WHERE name NOT IN ('id', 'number', 'tag')",
      )
      .all()
      .map(({ name }) => String(name));
    database
      .prepare(
        `INSERT INTO versions (id, number, tag, ${columns.join(", ")})
         WITH RECURSIVE numbers (number) AS (SELECT 2 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?)
         SELECT printf('%s-%012x', substr(id, 1, 23), numbers.number), numbers.number, 'tag-' || numbers.number,
           ${columns.join(", ")}
         FROM numbers, versions WHERE versions.number = 1 AND worker_id = (SELECT id FROM workers WHERE name = ?)`,
      )
      .run(count, worker);
    for (const [table, others] of [
      ["version_modules", "position, name, type, sha256, size"],
      ["version_resources", "binding, kind, resource_id"],
    ] as const) {
      database
        .prepare(
          `INSERT INTO ${table} (version_id, ${others})
           SELECT versions.id, ${others} FROM versions, ${table}
           WHERE versions.worker_id = (SELECT id FROM workers WHERE name = ?1) AND versions.number > 1
             AND version_id = (SELECT first.id FROM versions AS first
               WHERE first.worker_id = versions.worker_id AND first.number = 1)`,
        )
        .run(worker);
    }
    database
      .prepare(
        `UPDATE deployment_versions SET version_id = (SELECT versions.id FROM versions, deployments
           WHERE deployments.id = deployment_id AND versions.worker_id = deployments.worker_id
             AND versions.number = 1 + (deployments.seq - 1) % ?)
         WHERE deployment_id IN (SELECT deployments.id FROM deployments JOIN workers ON workers.id = worker_id
           WHERE workers.name = ?)`,
      )
      .run(count, worker);
    database.exec("DELETE FROM last_served");
    const migration = readFileSync("migrations/0005_rollback_rules.sql", "utf8");
    database.exec(/INSERT INTO `last_served`[^;]+;/.exec(migration)?.[0] ?? "");
    database.exec("COMMIT");
  } finally {
    database.close();
  }
  for (const path of readdirSync(join(directory, "storage"), { recursive: true, encoding: "utf8" }))
    if (/WorkerLock\/[^/]+\.sqlite/.test(path))
      rmSync(join(directory, "storage", path), { force: true });
}

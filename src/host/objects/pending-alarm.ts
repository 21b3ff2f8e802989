/** When the next alarm of a Worker's Durable Objects is due, read from their storage while no process has it open. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Milliseconds since 1970; null: none; "unknown": there may be some, since what the runtime wrote is not understood. */
export function pendingAlarm(storage: string): number | null | "unknown" {
  if (!existsSync(storage)) return null;
  try {
    const times = readdirSync(storage)
      .map((namespace) => join(storage, namespace, "metadata.sqlite"))
      .filter((file) => existsSync(file))
      .map(earliest)
      .filter((time) => time !== null);
    return times.length === 0 ? null : Math.min(...times);
  } catch {
    return "unknown";
  }
}

function earliest(file: string): number | null {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const question = database.prepare("SELECT min(scheduled_time) AS time FROM _cf_ALARM");
    question.setReadBigInts(true);
    const time = question.get()?.["time"] ?? null;
    // Nanoseconds, as the runtime keeps them.
    return time === null ? null : Number((time as bigint) / 1_000_000n);
  } finally {
    database.close();
  }
}

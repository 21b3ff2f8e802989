import { and, eq, gt, lte, ne, sql } from "drizzle-orm";
import type { Database } from "./database.ts";
import { startChecks } from "./schema.ts";

export interface StartCheck {
  readonly id: string;
  readonly contentHash: string;
  readonly instanceId: string;
  /** Milliseconds since 1970. */
  readonly startedOn: number;
}

/**
 * Note that code is about to be started, unless another instance noted the same code after `after` and never came
 * to its end: then when that was, and no note.
 */
export async function noteStart(
  db: Database,
  note: StartCheck,
  after: number,
): Promise<{ readonly lostOn: number } | null> {
  const [, lost] = await db.batch([
    db.delete(startChecks).where(lte(startChecks.startedOn, after)),
    db
      .select({ on: sql<number | null>`max(${startChecks.startedOn})` })
      .from(startChecks)
      .where(
        and(
          eq(startChecks.contentHash, note.contentHash),
          ne(startChecks.instanceId, note.instanceId),
          gt(startChecks.startedOn, after),
        ),
      ),
  ]);
  const lostOn = lost[0]?.on ?? null;
  if (lostOn !== null) return { lostOn };
  await db.insert(startChecks).values(note);
  return null;
}

export async function forgetStart(db: Database, id: string): Promise<void> {
  await db.delete(startChecks).where(eq(startChecks.id, id));
}

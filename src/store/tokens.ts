import { and, eq, gt, isNull, or } from "drizzle-orm";
import type { AccountId } from "../domain/ids.ts";
import type { Database } from "./database.ts";
import { tokens } from "./schema.ts";

export interface Token {
  readonly id: string;
  readonly accountId: AccountId;
  readonly name: string;
}

/** The live token with this hash: neither revoked nor expired at `now` (milliseconds since 1970). */
export async function findToken(db: Database, sha256: string, now: number): Promise<Token | null> {
  const rows = await db
    .select({ id: tokens.id, accountId: tokens.accountId, name: tokens.name })
    .from(tokens)
    .where(
      and(
        eq(tokens.sha256, sha256),
        isNull(tokens.revokedOn),
        or(isNull(tokens.expiresOn), gt(tokens.expiresOn, now)),
      ),
    );
  const row = rows[0];
  return row === undefined ? null : { ...row, accountId: row.accountId as AccountId };
}

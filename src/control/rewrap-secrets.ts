/**
 * Wrap the keys of versions' secrets anew under the installation's first key. What was done stays done, whatever is
 * killed: the rows themselves say what is left. Values are not touched, and secrets are readable all the while.
 */
import { REWRAP_BATCH_VERSIONS } from "../domain/limits.ts";
import type { Author } from "../domain/version.ts";
import {
  countSealed,
  listSealedOtherwise,
  type SealedRow,
  storeRewrapped,
} from "../store/sealed-secrets.ts";
import type { ControlContext } from "./context.ts";

type Context = Pick<ControlContext, "accountId" | "db" | "secrets" | "now" | "newId">;

export interface Rewrapped {
  /** Of the key under which all secrets will be. */
  readonly keyId: string;
  readonly rewrapped: number;
  /** Versions that are still under other keys. */
  readonly remaining: number;
  /** Ids of those among them that could not be opened: their key is gone, or they were altered. The first few. */
  readonly unreadable: readonly string[];
}

/** So many are named. */
const UNREADABLE_TOLD_MAX = 20;

/** One batch. Call it again until nothing remains, or nothing but what is unreadable. */
export async function rewrapSecrets(context: Context, actor: Author): Promise<Rewrapped> {
  const { db, secrets } = context;
  const { keyId } = secrets;
  const done: { readonly row: SealedRow; readonly sealed: string }[] = [];
  const unreadable: string[] = [];
  for (let after = ""; done.length < REWRAP_BATCH_VERSIONS;) {
    const rows = await listSealedOtherwise(db, keyId, after, REWRAP_BATCH_VERSIONS);
    for (const row of rows) {
      const owner = { workerId: row.workerId, versionId: row.id };
      const sealed = await secrets.rewrap(owner, row.sealed).catch(() => null);
      if (sealed !== null) done.push({ row, sealed });
      else if (unreadable.length < UNREADABLE_TOLD_MAX) unreadable.push(row.id);
    }
    after = rows.at(-1)?.id ?? "";
    if (rows.length < REWRAP_BATCH_VERSIONS) break;
  }
  if (done.length > 0) {
    await storeRewrapped(db, context.accountId, done, {
      id: context.newId(),
      at: context.now(),
      actorId: actor.id,
      actorEmail: actor.email,
      action: "secrets_key.rewrap",
      target: `account:${context.accountId}`,
      details: { key: keyId, versions: done.length },
    });
  }
  const { remaining } = await secretsKeyState(context);
  return { keyId, rewrapped: done.length, remaining: sum(remaining), unreadable };
}

/** Under which keys secrets are, but for the first. */
export async function secretsKeyState({ db, secrets }: Pick<Context, "db" | "secrets">): Promise<{
  readonly keyId: string;
  readonly olderKeyIds: readonly string[];
  readonly remaining: Readonly<Record<string, number>>;
}> {
  const { [secrets.keyId]: _, ...remaining } = await countSealed(db);
  return { keyId: secrets.keyId, olderKeyIds: secrets.olderKeyIds, remaining };
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0);

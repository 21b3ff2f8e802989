/** Say that what a secret was until now must never serve again. What serves goes on serving. */
import type { DomainError } from "../domain/errors.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { Worker } from "../domain/worker.ts";
import {
  listRevokedSecrets,
  type RevokedSecret,
  revokeSecret,
  unrevokeSecret,
  wasSecret,
} from "../store/revoked-secrets.ts";
import { auditEntry } from "./audit-entry.ts";
import type { ActingContext } from "./context.ts";

export async function revoke(
  context: ActingContext,
  worker: Worker,
  name: string,
): Promise<Result<RevokedSecret, DomainError>> {
  const { db, accountId } = context;
  if (!(await wasSecret(db, worker.id, name))) return err({ kind: "secret_not_found", name });
  const details = { worker: worker.name, secret: name };
  const entry = auditEntry(context, "secret.revoke", `worker:${worker.id}`, details);
  await revokeSecret(db, accountId, worker.id, name, entry);
  const revoked = (await listRevokedSecrets(db, worker.id)).find((each) => each.name === name);
  return revoked === undefined ? err({ kind: "secret_not_found", name }) : ok(revoked);
}

export async function unrevoke(
  context: ActingContext,
  worker: Worker,
  name: string,
): Promise<Result<void, DomainError>> {
  const { db, accountId } = context;
  const details = { worker: worker.name, secret: name };
  const entry = auditEntry(context, "secret.unrevoke", `worker:${worker.id}`, details);
  const was = await unrevokeSecret(db, accountId, worker.id, name, entry);
  return was ? ok(undefined) : err({ kind: "secret_not_found", name });
}

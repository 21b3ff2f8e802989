/** What every call says that deploys something, and what it is answered. */
import type { Deployed } from "../control/deploy.ts";
import { canonicalJson } from "../domain/canonical-json.ts";
import { parseDeploymentId } from "../domain/ids.ts";
import { IDEMPOTENCY_KEY_CHARS_MAX } from "../domain/limits.ts";
import type { Worker } from "../domain/worker.ts";
import { sha256Hex } from "../store/blobs.ts";
import type { ApiContext } from "./api-env.ts";
import { refuseWith, success } from "./envelope.ts";
import { toWireDeployment } from "./wire/deployment.ts";
import { toWireReceipt } from "./wire/receipt.ts";
import { toWireMessage } from "./wire/warnings.ts";

/** With its receipt, and with what is to be known of it in `messages`. */
export const answerDeployed = (
  c: ApiContext,
  { deployment, receipt }: Deployed,
  notices: readonly string[],
): Response =>
  success(
    c,
    { ...toWireDeployment(deployment), receipt: toWireReceipt(receipt) },
    { notices, messages: (deployment.warnings ?? []).map(toWireMessage) },
  );

/** If-Match: a deployment's id, or `*` for any. */
export async function expectedCurrent(c: ApiContext, worker: Worker): Promise<string | null> {
  const header = c.req.header("if-match")?.trim();
  if (header === undefined) return null;
  if (header === "*") {
    // There is no way back to having none, so what is seen here still holds under the lock.
    const current = await c.var.context.workerLock(worker.id).current();
    if (current !== null) return null;
    return refuseWith({ kind: "deployment_moved", currentId: null, expectedId: "*" });
  }
  const id = /^(?:W\/)?"?([^"]*)"?$/.exec(header)?.[1] ?? "";
  const detail = "If-Match has to be one deployment's id, or *.";
  return parseDeploymentId(id) ?? refuseWith({ kind: "bad_request", detail });
}

/** `said`: what makes a repeated call the same call, which is not who sends it. */
export async function idempotencyOf(
  c: ApiContext,
  said: unknown,
): Promise<{ key: string; bodyHash: string } | null> {
  const key = c.req.header("idempotency-key");
  if (key === undefined) return null;
  if (key === "" || key.length > IDEMPOTENCY_KEY_CHARS_MAX) {
    const detail = `Idempotency-Key has to be 1 to ${IDEMPOTENCY_KEY_CHARS_MAX} characters long.`;
    return refuseWith({ kind: "bad_request", detail });
  }
  return { key, bodyHash: await sha256Hex(canonicalJson(said)) };
}

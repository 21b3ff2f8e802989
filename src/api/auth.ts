/** Who is calling: a bearer token, the root one or one of the account's. */
import { createMiddleware } from "hono/factory";
import type { ControlContext } from "../control/context.ts";
import { TOKEN_CHARS_MAX } from "../domain/limits.ts";
import type { Author } from "../domain/version.ts";
import { sha256Hex } from "../store/blobs.ts";
import { findToken } from "../store/tokens.ts";
import type { ApiContext, ApiEnv, ContextFor } from "./api-env.ts";
import { refuse } from "./envelope.ts";
import type { WireRefusal } from "./wire-refusal.ts";

/** The same whether a token is wrong or the account is another: nobody learns which accounts exist. */
const AUTHENTICATION_ERROR: WireRefusal = {
  status: 403,
  errors: [{ code: 10000, message: "Authentication error" }],
};
/** What clients expect of the one call that asks about the token itself. */
const INVALID_TOKEN: WireRefusal = {
  status: 401,
  errors: [{ code: 1000, message: "Invalid API Token" }],
};
/** The root token is no row of the database; it always has this id. */
const ROOT_TOKEN_ID = "00000000000000000000000000000001";

export const authenticate = (contextFor: ContextFor) =>
  createMiddleware<ApiEnv>(async (c, next) => {
    const context = contextFor(c.env, c.executionCtx as unknown as ExecutionContext);
    const owner = await findOwner(c, context);
    if (owner === null) {
      const verifies = c.req.path.endsWith("/user/tokens/verify");
      return refuse(c, verifies ? INVALID_TOKEN : AUTHENTICATION_ERROR);
    }
    const actor: Author = { ...owner, source: sourceOf(c.req.header("user-agent") ?? "") };
    c.set("context", { ...context, actor });
    return next();
  });

/** For paths with an account id: there is one account. */
export const sameAccount = createMiddleware<ApiEnv>(async (c, next) =>
  c.req.param("accountId") === c.var.context.accountId ? next() : refuse(c, AUTHENTICATION_ERROR),
);

async function findOwner(
  c: ApiContext,
  context: ControlContext,
): Promise<Omit<Author, "source"> | null> {
  const match = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "");
  const token = match?.[1];
  if (token === undefined || token.length > TOKEN_CHARS_MAX) return null;
  const sha256 = await sha256Hex(token);
  if (isSameDigest(sha256, c.env.ROOT_TOKEN_SHA256)) {
    return { id: ROOT_TOKEN_ID, email: "root@switchback.local" };
  }
  const found = await findToken(context.db, sha256, context.now());
  if (found === null || found.accountId !== context.accountId) return null;
  return { id: found.id, email: `${found.name}@switchback.local` };
}

/** Compared in constant time: how long it takes says nothing about the root token's digest. */
function isSameDigest(sha256: string, configured: string): boolean {
  const encoder = new TextEncoder();
  const given = encoder.encode(sha256);
  const expected = encoder.encode(configured.toLowerCase());
  // A length that differs is a setting that is no digest: then there is no root token.
  return given.byteLength === expected.byteLength && crypto.subtle.timingSafeEqual(given, expected);
}

/** Cloudflare's `source`. wrangler warns its user before it overwrites what another source deployed. */
function sourceOf(userAgent: string): string {
  if (userAgent.startsWith("wrangler/")) return "wrangler";
  return /terraform/i.test(userAgent) ? "terraform" : "api";
}

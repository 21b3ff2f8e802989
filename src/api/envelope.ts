/** Cloudflare's v4 envelope: the only two ways out of a handler, and the exception that takes the second. */
import type { DomainError } from "../domain/errors.ts";
import type { Result } from "../domain/result.ts";
import type { ApiContext } from "./api-env.ts";
import { toWireRefusal } from "./errors.ts";
import type { WireRefusal } from "./wire-refusal.ts";

/** Where a page lies in its list; see `paging.ts`. */
export interface ResultInfo {
  readonly page?: number;
  readonly per_page?: number;
  readonly count: number;
  readonly total_count?: number;
  readonly total_pages?: number;
  /** Where the next page begins; empty at the end. */
  readonly cursor?: string;
  /** Of a list of objects: there is more, and the beginnings of keys that stand for all that go on from them. */
  readonly is_truncated?: boolean;
  readonly delimited?: readonly string[];
}

/** Code of a notice: nothing was refused, something was done otherwise than asked. */
const NOTICE_CODE = 130_100;

export function success(
  c: ApiContext,
  result: unknown,
  extra: {
    readonly info?: ResultInfo;
    readonly notices?: readonly string[];
    /** Those with a code of their own. */
    readonly messages?: readonly { readonly code: number; readonly message: string }[];
  } = {},
): Response {
  return c.json({
    success: true,
    errors: [],
    messages: [
      ...(extra.notices ?? []).map((message) => ({ code: NOTICE_CODE, message })),
      ...(extra.messages ?? []),
    ],
    result,
    ...(extra.info === undefined ? {} : { result_info: extra.info }),
  });
}

export function refuse(c: ApiContext, refusal: WireRefusal): Response {
  // The SDKs retry by status; this tells them outright.
  c.header("x-should-retry", String(refusal.retryAfterSeconds !== undefined));
  if (refusal.retryAfterSeconds !== undefined) {
    c.header("retry-after", String(refusal.retryAfterSeconds));
  }
  return c.json(
    { success: false, errors: refusal.errors, messages: [], result: null },
    refusal.status,
  );
}

/** Ends a handler with a refusal. Caught in `app.ts`, so that a route stays one sentence. */
export class Refused extends Error {
  readonly refusal: WireRefusal;
  constructor(refusal: WireRefusal) {
    super(refusal.errors[0]?.message ?? "refused");
    this.refusal = refusal;
  }
}

/** The value, or the end of the handler with the error's refusal. */
export function accept<T>(result: Result<T, DomainError>): T {
  if (!result.ok) throw new Refused(toWireRefusal(result.error));
  return result.value;
}

export function refuseWith(error: DomainError): never {
  throw new Refused(toWireRefusal(error));
}

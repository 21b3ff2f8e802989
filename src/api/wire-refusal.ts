/** A refusal on its way out: what every kind of error is turned into. */
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { DomainError } from "../domain/errors.ts";

export interface WireError {
  readonly code: number;
  readonly message: string;
  /** Facts for programs. */
  readonly meta?: Readonly<Record<string, unknown>>;
}

export interface WireRefusal {
  readonly status: ContentfulStatusCode;
  /** The decisive one first: clients act on its code. */
  readonly errors: readonly WireError[];
  /** Seconds after which the same call may well succeed; absent when it never will. */
  readonly retryAfterSeconds?: number;
}

/** The errors of these kinds. */
export type Kind<K extends DomainError["kind"]> = Extract<DomainError, { kind: K }>;

export const refusal = (
  status: ContentfulStatusCode,
  code: number,
  message: string,
  meta?: WireError["meta"],
): WireRefusal => ({
  status,
  errors: [meta === undefined ? { code, message } : { code, message, meta }],
});

/** The request itself is wrong, and will be the next time. */
export const bad = (code: number, message: string): WireRefusal => refusal(400, code, message);

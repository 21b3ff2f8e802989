/**
 * A binding as its version declares it: Cloudflare's wire shape, kept verbatim, unknown fields too.
 * Secret values are never part of it; they travel beside it (see `SecretText`).
 */
export interface Binding {
  readonly name: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** The value of one `secret_text` binding. */
export interface SecretText {
  readonly name: string;
  readonly text: string;
}

/** Types that a version can use when it runs. Every other type is stored, returned, and fails by name when called. */
export const RUNNABLE_BINDING_TYPES: ReadonlySet<string> = new Set([
  "plain_text",
  "json",
  "secret_text",
  "version_metadata",
  "service",
]);

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

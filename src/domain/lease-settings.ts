import { STALE_MS_DEFAULT } from "./limits.ts";

/** What a gateway does that reaches neither a register's lock nor the ledger. */
export interface IsolationPolicy {
  /** `refuse`: answer 503; the promise then holds without exception. */
  readonly onIsolation: "last-known" | "refuse";
  /** For `last-known`: how old what it knows may be, in milliseconds. */
  readonly staleMsMax: number;
}

/** A Worker's own lease settings. */
export interface LeaseSettings extends IsolationPolicy {
  /** Milliseconds; null: the installation's. */
  readonly leaseMs: number | null;
}

/** Serving what was current a moment ago is better than serving nothing, for a while. */
export const DEFAULT_ISOLATION: IsolationPolicy = {
  onIsolation: "last-known",
  staleMsMax: STALE_MS_DEFAULT,
};
/** What holds while nobody has been heard that knows the operator's choice. */
export const UNHEARD_ISOLATION: IsolationPolicy = { onIsolation: "refuse", staleMsMax: 0 };
export const DEFAULT_LEASE_SETTINGS: LeaseSettings = { ...DEFAULT_ISOLATION, leaseMs: null };

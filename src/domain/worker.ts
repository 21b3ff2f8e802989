import type { AccountId, WorkerId, WorkerName } from "./ids.ts";

/** A Worker (script): a name, its hosts, and the settings that no version carries. */
export interface Worker {
  readonly id: WorkerId;
  readonly accountId: AccountId;
  readonly name: WorkerName;
  /** Milliseconds since 1970. */
  readonly createdOn: number;
  readonly modifiedOn: number;
  readonly subdomainEnabled: boolean;
  readonly previewsEnabled: boolean;
  /** tags, logpush, observability, tail_consumers …, as clients sent them. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Of the last Durable Object migration that was applied; absent or null before the first. */
  readonly migrationTag?: string | null;
}

export interface Zone {
  /** 32 hex digits. */
  readonly id: string;
  readonly name: string;
}

/** A line of the audit: who did what to what. */
export interface AuditEntry {
  /** Given by the change, so that writing it twice leaves one line. */
  readonly id: string;
  readonly at: number;
  readonly actorId: string;
  readonly actorEmail: string;
  /** `deployment.create`, `version.upload`, `routing.change`, … */
  readonly action: string;
  /** The Worker's name, or what else was changed. */
  readonly target: string;
  readonly details: Readonly<Record<string, unknown>>;
}

import type { WorkerId } from "./ids.ts";

/** One Worker as the gateway knows it: its name, and which of its own hosts are on. */
export interface WorkerHost {
  readonly workerId: WorkerId;
  readonly name: string;
  /** `<name>.<workers domain>` answers. */
  readonly enabled: boolean;
  /** `<prefix or alias>-<name>.<workers domain>` answers. */
  readonly previewsEnabled: boolean;
}

export interface Route {
  /** 32 hex digits. */
  readonly id: string;
  readonly zoneId: string;
  /** As given: `example.com/api/*`, `*.example.com/*` … */
  readonly pattern: string;
  /** null: requests that match are not for any Worker, however broad another pattern is. */
  readonly workerId: WorkerId | null;
}

export interface CustomDomain {
  /** 32 hex digits. */
  readonly id: string;
  readonly zoneId: string;
  readonly hostname: string;
  readonly workerId: WorkerId;
  readonly enabled: boolean;
  readonly previewsEnabled: boolean;
}

/** Who answers for which host and path. One register holds the whole table: it changes as one. */
export interface RouteTable {
  readonly workers: readonly WorkerHost[];
  readonly routes: readonly Route[];
  readonly domains: readonly CustomDomain[];
}

export const EMPTY_ROUTE_TABLE: RouteTable = { workers: [], routes: [], domains: [] };

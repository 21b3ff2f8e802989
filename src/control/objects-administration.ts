/** What the control plane asks of the processes that run Durable Objects. */
import type { WorkerId } from "../domain/ids.ts";

/** A page of a namespace's objects, by id. */
export interface ObjectsPage {
  readonly objectIds: readonly string[];
  readonly more: boolean;
}

export interface ObjectsAdministration {
  list(home: WorkerId, namespaceId: string, after: string, limit: number): Promise<ObjectsPage>;
  /** When it returns, all of the namespace's objects are sure to be erased, and soon. */
  erase(home: WorkerId, namespaceId: string): Promise<void>;
}

/** The door of the process that has the objects that a Worker made. */
export interface ObjectsAdministrations {
  door(home: WorkerId): Promise<ObjectsAdministration>;
}

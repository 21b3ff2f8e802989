/**
 * Namespaces of Durable Objects that a Worker has given to others (`transferred_classes`). Whoever still means the giver's, by an
 * old version's binding or a stored alarm, is led on to the Worker that has them.
 */
import type { WorkerId } from "./ids.ts";

export interface GivenTo {
  readonly workerId: WorkerId;
  /** How often the namespace had been transferred when it went there. */
  readonly transfers: number;
}

/** By namespace id. */
export type GivenNamespaces = Readonly<Record<string, GivenTo>>;

/** Whose a namespace was when it had been transferred so often. */
export interface OwnedNamespace {
  readonly workerId: WorkerId;
  readonly namespaceId: string;
  readonly transfers: number;
}

/**
 * One step on the way to whoever has it now; null: nothing newer is known. There is an end: `transfers` grows, except where two
 * wanted the same at once, and whoever was late is sent to the one that got it.
 */
export function stepOn<T extends OwnedNamespace>(at: T, given: GivenNamespaces): T | null {
  const to = given[at.namespaceId];
  if (to === undefined || to.transfers < at.transfers || to.workerId === at.workerId) return null;
  return { ...at, workerId: to.workerId, transfers: to.transfers };
}

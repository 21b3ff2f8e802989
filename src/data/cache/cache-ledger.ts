import {
  CACHE_BYTES_MAX,
  CACHE_WORKER_BYTES_MAX,
  CACHE_WORKER_ENTRIES_MAX,
  CACHE_WORKERS_MAX,
} from "../../domain/limits-cache.ts";

/** Something to be taken out of a Worker's cache. */
export interface Eviction {
  readonly workerId: string;
  readonly key: string;
}

interface Shelf {
  /** Bytes by key; what was used longest ago comes first. */
  readonly entries: Map<string, number>;
  bytes: number;
}

/**
 * What each Worker keeps in its cache, and what has to go when that is too much. A Worker that keeps too much loses its
 * own; only when all together keep too much does the one that was quiet longest lose some of its.
 */
export class CacheLedger {
  /** By Worker; the one that was quiet longest comes first. */
  readonly #shelves = new Map<string, Shelf>();
  #bytes = 0;

  /** A response was stored. Gives what is to be taken out. */
  stored(workerId: string, key: string, bytes: number): readonly Eviction[] {
    const shelf = this.#shelfOf(workerId);
    this.#drop(shelf, key);
    shelf.entries.set(key, bytes);
    shelf.bytes += bytes;
    this.#bytes += bytes;
    const evictions: Eviction[] = [];
    while (shelf.bytes > CACHE_WORKER_BYTES_MAX || shelf.entries.size > CACHE_WORKER_ENTRIES_MAX) {
      evictions.push(this.#evictFrom(workerId, shelf));
    }
    while (this.#bytes > CACHE_BYTES_MAX || this.#shelves.size > CACHE_WORKERS_MAX) {
      const quietest = this.#shelves.entries().next().value;
      if (quietest === undefined) break;
      evictions.push(this.#evictFrom(...quietest));
    }
    return evictions;
  }

  /** A response was found, or was not there any more. */
  looked(workerId: string, key: string, isThere: boolean): void {
    const shelf = this.#shelfOf(workerId);
    const bytes = shelf.entries.get(key);
    if (bytes === undefined) return;
    this.#drop(shelf, key);
    if (!isThere) return;
    shelf.entries.set(key, bytes);
    shelf.bytes += bytes;
    this.#bytes += bytes;
  }

  #shelfOf(workerId: string): Shelf {
    const shelf = this.#shelves.get(workerId) ?? { entries: new Map<string, number>(), bytes: 0 };
    this.#shelves.delete(workerId);
    this.#shelves.set(workerId, shelf);
    return shelf;
  }

  #drop(shelf: Shelf, key: string): void {
    const bytes = shelf.entries.get(key);
    if (bytes === undefined) return;
    shelf.entries.delete(key);
    shelf.bytes -= bytes;
    this.#bytes -= bytes;
  }

  #evictFrom(workerId: string, shelf: Shelf): Eviction {
    const key = shelf.entries.keys().next().value ?? "";
    this.#drop(shelf, key);
    if (shelf.entries.size === 0) this.#shelves.delete(workerId);
    return { workerId, key };
  }
}

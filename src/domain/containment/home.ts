/**
 * Which slot of the pool a host lives in: rendezvous hashing, so that a change of the pool moves few hosts, and a
 * version is loaded in one process unless its host needs more.
 */

/** FNV-1a, 32 bits, over UTF-16 code units. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  }
  return hash >>> 0;
}

/** How much the host with this hash belongs into this slot: the highest wins. */
export function affinity(hash: number, slot: number): number {
  let mixed = hash ^ Math.imul(slot + 1, 0x9e3779b9);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

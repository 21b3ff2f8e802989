import type { TrafficShare } from "./deployment.ts";
import type { VersionId } from "./ids.ts";
import { VERSION_KEY_CHARS_MAX } from "./limits.ts";

/**
 * The version whose interval holds `point`, in [0, 100). Versions lie on [0, 100) newest first, so that raising
 * a newer version's share at the cost of older ones only ever moves a visitor to a newer version. A share of
 * 0 is never picked; what rounding leaves uncovered at the end goes to the oldest version that has a share.
 * null when no version has a share.
 */
export function pickVersion(shares: readonly TrafficShare[], point: number): VersionId | null {
  if (shares.length === 1) return shares[0]!.percentage > 0 ? shares[0]!.versionId : null;
  let covered = 0;
  let last: VersionId | null = null;
  for (const share of shares.toSorted((a, b) => b.number - a.number)) {
    if (share.percentage <= 0) continue;
    covered += share.percentage;
    last = share.versionId;
    if (point < covered) return last;
  }
  return last;
}

/**
 * The point in [0, 100) of one visitor's key: always the same for a Worker, and unrelated between Workers.
 * A quick hash, not a secret one: who chooses the key chooses the side.
 */
export function pointOfKey(workerId: string, key: string): number {
  const hash = murmur3(key.slice(0, VERSION_KEY_CHARS_MAX), murmur3(workerId, 0));
  return (hash / 2 ** 32) * 100;
}

/** MurmurHash3 (x86, 32 bit) over UTF-16 code units, two to a block. Austin Appleby, public domain. */
function murmur3(text: string, seed: number): number {
  let hash = seed;
  for (let at = 0; at < text.length; at += 2) {
    // An odd last unit makes half a block; charCodeAt beyond the end is NaN, which is 0 in bit operations.
    let block = text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
    block = Math.imul(block, 0xcc9e2d51);
    block = Math.imul((block << 15) | (block >>> 17), 0x1b873593);
    hash ^= block;
    hash = (Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe6546b64) | 0;
  }
  hash ^= text.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

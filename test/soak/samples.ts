/** What the host's processes hold at one moment, as the kernel tells it. Linux only. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { processUsage } from "../../src/host/process-usage.ts";
import { processesBelow, type ProcessKind } from "../e2e/support/host-processes.ts";

/** Of the largest process of its kind. */
export interface Held {
  readonly processes: number;
  readonly rssMb: number;
  readonly descriptors: number;
  readonly threads: number;
}

/** Kinds that run all the time; those for suspects come and go. */
export const LASTING = ["launcher", "supervisor", "control", "pool", "trial"] as const;
export type LastingKind = (typeof LASTING)[number];

const BYTES_PER_MB = 1e6;

export function heldByKind(launcher: number): Readonly<Record<LastingKind, Held>> {
  const held: Record<string, Held> = {};
  for (const kind of LASTING) held[kind] = NOTHING;
  for (const { pid, kind } of processesBelow(launcher)) {
    if (isLasting(kind)) held[kind] = largest(held[kind] ?? NOTHING, heldBy(pid));
  }
  return held as Record<LastingKind, Held>;
}

const NOTHING: Held = { processes: 0, rssMb: 0, descriptors: 0, threads: 0 };
const isLasting = (kind: ProcessKind): kind is LastingKind =>
  (LASTING as readonly string[]).includes(kind);

const largest = (a: Held, b: Held): Held => ({
  processes: a.processes + b.processes,
  rssMb: Math.max(a.rssMb, b.rssMb),
  descriptors: Math.max(a.descriptors, b.descriptors),
  threads: Math.max(a.threads, b.threads),
});

/** A process that has just ended holds nothing. */
function heldBy(pid: number): Held {
  const usage = processUsage(pid);
  if (usage === null) return NOTHING;
  try {
    const status = readFileSync(`/proc/${pid}/status`, "latin1");
    return {
      processes: 1,
      rssMb: usage.rssBytes / BYTES_PER_MB,
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      threads: Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 0),
    };
  } catch {
    return NOTHING;
  }
}

/** All files below, in MB. */
export function diskMb(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    try {
      bytes += statSync(join(entry.parentPath, entry.name)).size;
    } catch {
      // Gone meanwhile.
    }
  }
  return bytes / BYTES_PER_MB;
}

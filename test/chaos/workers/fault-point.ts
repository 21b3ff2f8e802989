/**
 * Takes the place of src/control/fault-point.ts in the bundle of the chaos control Worker: a lock that reaches
 * an armed point is aborted there, once. The register has made its storage durable before it comes here.
 */
import type { FaultPoint } from "../../../src/control/fault-point.ts";

/** By lock, the point at which it dies. A lock gets its own name as FAULT_POINT. */
export const armed = new Map<string, string>();
/** By lock, the end of the object that lives under this name now. */
export const ends = new Map<string, () => void>();

export async function faultPoint(lock: string | undefined, reached: FaultPoint): Promise<void> {
  if (lock === undefined || armed.get(lock) !== reached) return;
  armed.delete(lock);
  console.log(JSON.stringify({ event: "chaos_abort", lock, reached }));
  ends.get(lock)?.();
  // Whatever still runs in the dead object goes no further.
  await new Promise(() => {});
}

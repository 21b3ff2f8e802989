/**
 * Places where a change of a register can be interrupted, by the names that docs/consistency uses. A test
 * host is started with FAULT_POINT set to one of them, finds the change held there, and kills the process.
 */
export type FaultPoint = "T1" | "S2" | "S3" | "T4" | "S5";

/** Far longer than any test: the process is killed while it waits. */
const HELD_MS = 3_600_000;

export async function faultPoint(
  configured: string | undefined,
  reached: FaultPoint,
): Promise<void> {
  if (configured !== reached) return;
  console.log(JSON.stringify({ level: "warn", event: "fault_point", reached }));
  await scheduler.wait(HELD_MS);
}

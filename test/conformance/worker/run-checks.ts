import type { Check, Checks, Scene } from "./check.ts";
import { describe } from "./describe.ts";

/** A check that takes longer hangs, in milliseconds. */
const CHECK_MS = 15_000;

/** Every check of the group, one after the other, by name. */
export async function runChecks(
  checks: Checks,
  group: string,
  scene: Omit<Scene, "own">,
): Promise<Record<string, unknown>> {
  const answers: Record<string, unknown> = {};
  let number = 0;
  for (const [name, check] of Object.entries(checks))
    answers[name] = await runCheck(check, { ...scene, own: `${group}-${number++}` } as Scene);
  return answers;
}

export async function runCheck(check: Check, scene: Scene): Promise<unknown> {
  const late = Symbol("late");
  try {
    const value = await Promise.race([
      Promise.resolve(check(scene)).then(describe),
      scheduler.wait(CHECK_MS).then(() => late),
    ]);
    return value === late ? { hangs: true } : { answers: value };
  } catch (error) {
    return { throws: await describe(error) };
  }
}

/**
 * One upgrade: a second supervisor from the code that lies on the disk now takes over from the running
 * one. Either it serves at the end, or it is gone and the running one has everything back.
 */
import { reasonOf } from "./host-error.ts";
import { PREPARE_MS_MAX, TAKE_MS_MAX, YIELD_MS_MAX } from "./launcher-limits.ts";
import type { SupervisorChild } from "./supervisor-child.ts";

export interface UpgradeResult {
  readonly upgraded: boolean;
  /** Why not. */
  readonly reason?: string;
}

/**
 * Never rejects. After success there is a successor, and the old one is left to be retired. If all are to
 * stop meanwhile, it gets nothing back.
 */
export async function upgrade(
  old: SupervisorChild,
  start: () => SupervisorChild,
  stopping: AbortSignal,
): Promise<UpgradeResult & { readonly successor?: SupervisorChild }> {
  let successor: SupervisorChild | undefined;
  let asked = false;
  try {
    // Whoever reads the log may ask for an upgrade before the launcher knows that the first start is over.
    if (old.controlApi === undefined) await old.answer(["ready"], TAKE_MS_MAX);
    // The public socket is closed then: nothing is left that a successor could have.
    if (stopping.aborted) throw new Error("Switchback is stopping.");
    successor = start();
    await successor.answer(["prepared"], PREPARE_MS_MAX);
    asked = true;
    await letGo(old);
    successor.send({ type: "take", predecessorApi: old.controlApi ?? "" });
    await successor.answer(["ready"], TAKE_MS_MAX);
    return { upgraded: true, successor };
  } catch (error) {
    successor?.kill("SIGKILL");
    await successor?.ended;
    if (asked && !stopping.aborted) await giveBack(old);
    return { upgraded: false, reason: reasonOf(error) };
  }
}

/** Who is told that all is as it was may go and look. One that cannot take it back ends, and is started again. */
async function giveBack(old: SupervisorChild): Promise<void> {
  old.send({ type: "resume" });
  await old.answer(["resumed"], TAKE_MS_MAX).catch(() => undefined);
}

/** An old one that has died holds nothing any more: the new one goes on in its place. */
async function letGo(old: SupervisorChild): Promise<void> {
  old.send({ type: "yield" });
  const answer = await old.answer(["yielded", "kept"], YIELD_MS_MAX).catch((error: unknown) => {
    if (old.end) return undefined;
    throw new Error(`the running one does not let go: ${reasonOf(error)}`);
  });
  if (answer?.type === "kept") {
    throw new Error(`the running one could not let go: ${answer.reason}`);
  }
}

/** A change that gets no answer from its lock becomes an answer of its own, in bounded time. */
import type { ControlContext } from "../control/context.ts";
import type { DomainError } from "../domain/errors.ts";
import { LEDGER_WRITE_MS_MAX, LOCK_WAIT_MS_MAX } from "../domain/limits.ts";
import { err, type Result } from "../domain/result.ts";
import { logEvent } from "../observability/log.ts";

/** A lock that is alive answers within this, whether by a change or by a refusal. */
const ANSWER_MS_MAX = LOCK_WAIT_MS_MAX + LEDGER_WRITE_MS_MAX;

/** The same context, with locks whose changes always end: at worst as `outcome_unknown`. */
export const guardLocks = (context: ControlContext): ControlContext => ({
  ...context,
  workerLock: (id) => guard(context.workerLock(id), "deploy"),
  routingLock: () => guard(context.routingLock(), "change"),
});

function guard<T extends object>(lock: T, changing: keyof T): T {
  return new Proxy(lock, {
    get(target, property) {
      const method = Reflect.get(target, property) as (...args: unknown[]) => Promise<never>;
      const call = (...args: unknown[]) => Reflect.apply(method, target, args);
      return property === changing ? (...args: unknown[]) => answered(call(...args)) : call;
    },
  });
}

async function answered<T>(
  change: Promise<Result<T, DomainError>>,
): Promise<Result<T, DomainError>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Result<T, DomainError>>((resolve) => {
    timer = setTimeout(
      () => resolve(err({ kind: "outcome_unknown", waitedMs: ANSWER_MS_MAX })),
      ANSWER_MS_MAX,
    );
  });
  try {
    return await Promise.race([change, late]);
  } catch (error) {
    logEvent("error", "lock_unreachable", { error: String(error) });
    return err({ kind: "outcome_unknown", waitedMs: null });
  } finally {
    clearTimeout(timer ?? null);
  }
}

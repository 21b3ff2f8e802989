import type { VersionDispatch } from "./version-runner.ts";

/**
 * Tells the supervisor what is about to run, and waits for its leave: should the process not come back from it, the
 * supervisor knows which version that was. The dispatch counts as under way for as long as the supervisor's answer
 * is held open, so its end cannot get lost, whatever ends it.
 */
export const announcer =
  (supervisor: Fetcher, gateway: string) =>
  async ({ workerId, versionId }: VersionDispatch): Promise<() => void> => {
    const leave = await supervisor.fetch("http://supervisor/announce", {
      method: "POST",
      body: JSON.stringify({ gateway, workerId, versionId }),
    });
    const over = () => void leave.body?.cancel().catch(() => undefined);
    if (leave.ok) return over;
    over();
    throw new Error(`the supervisor refused with status ${leave.status}`);
  };

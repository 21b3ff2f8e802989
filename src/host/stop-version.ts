/** A version that is to be stopped: the gateways hear it at once, the control plane writes it down and tells the rest. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Trip } from "../domain/containment/strikes.ts";
import { STOP_REPEAT_MS } from "../domain/limits.ts";
import type { ControlProcess } from "./control-process.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import type { Log } from "./log.ts";

export interface StopVersionParts {
  readonly control: Pick<ControlProcess, "ask">;
  readonly gateways: () => Iterable<GatewayProcess>;
  /** The host has ended: nobody is left to tell. */
  readonly isOver: () => boolean;
  readonly log: Log;
}

const ASK_MS_MAX = 5_000;

/** Goes on until the control plane has acknowledged it, or says that there is no such version any more. */
export async function stopVersion(trip: Trip, parts: StopVersionParts): Promise<void> {
  const { control, gateways, isOver, log } = parts;
  const { workerId, versionId, reason, strikes } = trip;
  // Only the control process knows the Worker's name; it logs it when it has written this down.
  const told = { worker_id: workerId, version: versionId, reason, strikes };
  log.event("error", "version stopped", told);
  const stopped = { versionId, reason, strikes, stoppedOn: Date.now() };
  while (!isOver()) {
    for (const gateway of gateways()) {
      void gateway.ask("POST", "/stop", ASK_MS_MAX, { workerId, stopped });
    }
    const answer = await control.ask("internal", {
      method: "POST",
      path: "/trip",
      timeoutMs: ASK_MS_MAX,
      body: { workerId, versionId, reason, strikes },
    });
    if (answer?.status === 200) return;
    if (answer?.status === 404) {
      log.event("warn", "version to be stopped is gone", { version: versionId });
      return;
    }
    await sleep(STOP_REPEAT_MS);
  }
}

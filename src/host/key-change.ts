/**
 * Finishes a change of the key under which secrets are stored, whenever a host runs with more than one: wraps what is left
 * anew, then forgets the older keys. Killed at any step, the next start goes on.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseSecretsKeys } from "../domain/secrets-keys.ts";
import type { ControlProcess } from "./control-process.ts";
import { dropOlderKeys } from "./installation.ts";
import type { Log } from "./log.ts";

export interface KeyChangeParts {
  readonly secretsKey: string;
  readonly dataDirectory: string;
  readonly control: Pick<ControlProcess, "ask">;
  /** The host has ended, or has given the data directory away. */
  readonly isOver: () => boolean;
  readonly log: Log;
}

const REPEAT_MS = 200;
const ASK_MS_MAX = 10_000;

interface Rewrapped {
  readonly keyId: string;
  readonly rewrapped: number;
  readonly remaining: number;
  readonly unreadable: readonly string[];
}

export async function finishKeyChange(parts: KeyChangeParts): Promise<void> {
  const { secretsKey, dataDirectory, control, isOver, log } = parts;
  if (parseSecretsKeys(secretsKey).length < 2) return;
  let hasComplained = false;
  while (!isOver()) {
    const answer = await control.ask("internal", {
      method: "POST",
      path: "/rewrap",
      timeoutMs: ASK_MS_MAX,
    });
    const state = answer?.status === 200 ? (JSON.parse(answer.text) as Rewrapped) : null;
    if (state?.remaining === 0) {
      // An upload that had begun before cannot be under an older key: this process never sealed with one.
      const gone = dropOlderKeys(dataDirectory, state.keyId);
      log.event("info", "secrets key changed", { key: state.keyId, gone: gone.join(",") });
      return;
    }
    if (answer !== undefined && state === null && !hasComplained) {
      hasComplained = true;
      log.event("error", "secrets key change goes on", { status: answer.status });
    }
    if (state !== null && state.rewrapped === 0) {
      log.event("error", "secrets key not changed", {
        remaining: state.remaining,
        unreadable: state.unreadable.join(","),
      });
      return;
    }
    await sleep(REPEAT_MS, undefined, { ref: false });
  }
}

/**
 * Keeps one supervisor running over one public socket: starts it again when it dies, hands over to a
 * new one on upgrade, passes signals on. It never accepts a connection and never opens the data directory.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Launch } from "./handover.ts";
import { RETIRE_MS_MAX } from "./launcher-limits.ts";
import type { Log } from "./log.ts";
import { decideRestart } from "./restart-policy.ts";
import { describeEnd, type End, type SupervisorChild } from "./supervisor-child.ts";
import { upgrade, type UpgradeResult } from "./upgrade.ts";

export interface LauncherParts {
  readonly spawn: (launch: Launch) => SupervisorChild;
  readonly log: Log;
  /** Ends this process; called once. */
  readonly exit: (code: number) => void;
  /** The outcome of each upgrade asked for. */
  readonly onUpgrade: (result: UpgradeResult) => void;
  readonly now: () => number;
}

export class Launcher {
  readonly #parts: LauncherParts;
  readonly #stopping = new AbortController();
  /** All that run: one, or two during an upgrade and until the old one has drained. */
  readonly #running = new Set<SupervisorChild>();
  #current: SupervisorChild | undefined;
  #everReady = false;
  #upgrading = false;
  #deaths: readonly number[] = [];
  /** The signal that asked for the end. */
  #signal: NodeJS.Signals | undefined;

  constructor(parts: LauncherParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#current = this.#spawn(this.#everReady ? "again" : "first");
  }

  /** Passes it on; with no supervisor to pass it to, this is the end. */
  stop(signal: NodeJS.Signals): void {
    this.#signal ??= signal;
    this.#stopping.abort();
    for (const child of this.#running) child.kill(signal);
    if (this.#running.size === 0) this.#parts.exit(0);
  }

  /** Has the supervisor replace its gateways one by one. One that only starts has new ones anyway. */
  restartGateways(): void {
    this.#current?.send({ type: "restart-gateways" });
  }

  async upgrade(): Promise<void> {
    const { log, onUpgrade } = this.#parts;
    const refusal = this.#upgradeRefusal();
    if (refusal !== undefined || !this.#current) {
      log.event("warn", "upgrade refused", { reason: refusal });
      return onUpgrade({ upgraded: false, reason: refusal ?? "" });
    }
    this.#upgrading = true;
    const old = this.#current;
    log.event("info", "upgrade started");
    const { successor, ...result } = await upgrade(
      old,
      () => this.#spawn("handover"),
      this.#stopping.signal,
    );
    this.#upgrading = false;
    if (successor) {
      this.#current = successor;
      log.event("info", "upgraded", { supervisor: successor.pid });
      void this.#retire(old, successor);
    } else if (this.#signal === undefined) {
      log.event("error", "upgrade failed, the running supervisor goes on", {
        reason: result.reason,
      });
    }
    onUpgrade(result);
    // Whoever ended meanwhile was not looked after.
    if (this.#current.end) this.#afterEnd(this.#current, this.#current.end);
  }

  #upgradeRefusal(): string | undefined {
    if (this.#signal !== undefined) return "Switchback is stopping.";
    if (this.#upgrading) return "Another upgrade is under way.";
    if (this.#running.size > 1) return "The supervisor before this one still drains.";
    if (!this.#current || this.#current.end) return "The supervisor has just died.";
    return undefined;
  }

  async #retire(old: SupervisorChild, successor: SupervisorChild): Promise<void> {
    old.send({ type: "retire", controlApi: successor.controlApi ?? "" });
    const drained = new AbortController();
    const timeout = sleep(RETIRE_MS_MAX, "late", { ref: false, signal: drained.signal });
    const outcome = await Promise.race([old.ended, timeout.catch(() => "late" as const)]);
    drained.abort();
    if (outcome === "late") old.kill("SIGKILL");
    const end = await old.ended;
    this.#parts.log.event(end.code === 0 ? "info" : "warn", "previous supervisor ended", {
      reason: end.code === 0 ? undefined : describeEnd(end),
    });
  }

  #spawn(launch: Launch): SupervisorChild {
    const child = this.#parts.spawn(launch);
    this.#running.add(child);
    void child.ended.then((end) => {
      if (child.controlApi !== undefined) this.#everReady = true;
      this.#running.delete(child);
      this.#afterEnd(child, end);
    });
    // A signal that came between two supervisors.
    if (this.#signal !== undefined) child.kill(this.#signal);
    return child;
  }

  #afterEnd(child: SupervisorChild, end: End): void {
    if (this.#signal !== undefined) {
      const last = this.#current ?? child;
      if (this.#running.size === 0) this.#parts.exit(stoppedCode(last, last.end ?? end));
      return;
    }
    // An upgrade under way ends with one supervisor or the other, and looks then.
    if (child !== this.#current || this.#upgrading) return;
    if (end.code === 0 || end.code === 2 || (!this.#everReady && end.code !== null)) {
      return this.#parts.exit(end.code);
    }
    if (!this.#everReady) {
      this.#parts.log.event("error", "supervisor ended before it was ready", {
        reason: describeEnd(end),
      });
      return this.#parts.exit(1);
    }
    void this.#restart(end);
  }

  async #restart(end: End): Promise<void> {
    const { log, now, exit } = this.#parts;
    const { deaths, pauseMs } = decideRestart(this.#deaths, now());
    this.#deaths = deaths;
    if (pauseMs === undefined) {
      log.event("error", "supervisor cannot be kept running", { deaths: deaths.length });
      if (this.#running.size > 0) for (const child of this.#running) child.kill("SIGKILL");
      return exit(1);
    }
    log.event("error", "supervisor lost, restarting", { reason: describeEnd(end), pause: pauseMs });
    if (pauseMs > 0) {
      await sleep(pauseMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    }
    if (this.#signal === undefined) this.start();
  }
}

/** In order also if it was asked to stop before it was ready: a supervisor that is only starting dies of the signal. */
function stoppedCode(child: SupervisorChild, { code, signal }: End): number {
  const died = signal !== null || (code !== null && code >= 128);
  if (died && child.controlApi === undefined) return 0;
  return code ?? 1;
}

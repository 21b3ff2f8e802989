/**
 * What the launcher and its supervisors say to each other, and a supervisor's side of an upgrade:
 * the old one gives the control plane away, goes on with visitors, and ends when its successor serves.
 *
 *     launcher                     old supervisor          new supervisor
 *     start ──────────────────────────────────────────────▶ prepared
 *     yield ─────────────────────▶ yielded
 *     take  ──────────────────────────────────────────────▶ ready
 *     retire ────────────────────▶ ends with 0
 *
 * If the new one ends before it is ready, the old one takes the control plane back: resume ──▶ resumed.
 */
import { reasonOf } from "./host-error.ts";
import type { Log } from "./log.ts";

/** The listening socket in a supervisor: the launcher bound it, and every supervisor inherits it there. */
export const LISTENER_FD = 3;

export interface Listener {
  /** A descriptor that listens already; whoever accepts on it calls `listen({ fd })`. */
  readonly fd: number;
  readonly port: number;
}

/** What an upgrade asks of a host. Each call comes after the one before has settled. */
export interface HandoverHost {
  /** Path of the Unix socket on which this host's control process answers the API. */
  readonly controlApi: string;
  /**
   * Ends the control process and releases the data directory. Visitors are served on; API requests wait.
   * If it rejects, `resumeControl` follows.
   */
  yieldControl(): Promise<void>;
  /**
   * Takes the data directory back and starts the control process again; waiting API requests go on.
   * Must not migrate, nor refuse a directory that the successor has migrated: this host served it before.
   * If it rejects, the process ends and a new one is started.
   */
  resumeControl(): Promise<void>;
  /** Sends waiting API requests to that socket, accepts nothing more, drains, ends everything. */
  retire(controlApi: string): Promise<void>;
  /** Replaces every gateway by a new process, one after the other, while the others serve. At any time. */
  restartGateways(): Promise<void>;
}

export type ToSupervisor =
  | { readonly type: "yield" }
  /** `predecessorApi`: what was its `controlApi`. */
  | { readonly type: "take"; readonly predecessorApi: string }
  | { readonly type: "resume" }
  | { readonly type: "retire"; readonly controlApi: string }
  /** Not part of a handover, and waits for none. */
  | { readonly type: "restart-gateways" };

export type ToLauncher =
  /** Settings and script are right; nothing has been touched. */
  | { readonly type: "prepared" }
  | { readonly type: "yielded" }
  | { readonly type: "resumed" }
  /** The answer to "yield" where that failed; the control plane stays. */
  | { readonly type: "kept"; readonly reason: string }
  | { readonly type: "ready"; readonly controlApi: string }
  /** It could not start to succeed another, and ends. */
  | { readonly type: "refused"; readonly reason: string };

/** A supervisor's end of its connection to the launcher. */
export interface LauncherChannel {
  /** Resolves when it has been sent, or never will be. */
  send(message: ToLauncher): Promise<void>;
  onMessage(listener: (message: ToSupervisor) => void): void;
  /** The launcher is gone, however it ended. */
  onLost(listener: () => void): void;
}

/** Why a supervisor is started: for the first time, after the last one died, or to succeed a running one. */
export type Launch = "first" | "again" | "handover";

const VARIABLE = "SWITCHBACK_LAUNCH";

/** What the launcher tells a supervisor by its environment. */
export function launchEnvironment(launch: Launch, port: number): Record<string, string> {
  return { [VARIABLE]: `${launch}:${port}` };
}

/** Nothing if no launcher has started this process. */
export function launchOf(
  env: Readonly<Record<string, string | undefined>>,
): { launch: Launch; listener: Listener } | undefined {
  const [launch, port] = (env[VARIABLE] ?? "").split(":");
  if (launch !== "first" && launch !== "again" && launch !== "handover") return undefined;
  return { launch, listener: { fd: LISTENER_FD, port: Number(port) } };
}

export interface HandoverParts {
  readonly channel: LauncherChannel;
  readonly host: HandoverHost;
  readonly log: Log;
  /** This host has ended; so should its process, with 0. */
  readonly onRetired: () => void;
  /** Neither given away nor taken back: the process should end with 1, and be started again. */
  readonly onBroken: () => void;
}

/** Does what the launcher asks of a running host, one step of a handover after the other. */
export function followHandover(parts: HandoverParts): void {
  let turn = Promise.resolve();
  parts.channel.onMessage((message) => {
    if (message.type === "restart-gateways") return void restartGateways(parts);
    turn = turn
      .then(() => act(message, parts))
      .catch((error: unknown) => {
        parts.log.event("error", "handover failed", {
          step: message.type,
          reason: reasonOf(error),
        });
        parts.onBroken();
      });
  });
}

/** As long as visitors need it to: an upgrade may begin meanwhile. */
async function restartGateways({ host, log }: HandoverParts): Promise<void> {
  log.event("info", "gateways restarting");
  try {
    await host.restartGateways();
    log.event("info", "gateways restarted");
  } catch (error) {
    log.event("error", "gateways not restarted", { reason: reasonOf(error) });
  }
}

async function act(
  message: Exclude<ToSupervisor, { type: "restart-gateways" }>,
  parts: HandoverParts,
): Promise<void> {
  const { channel, host, log, onRetired } = parts;
  switch (message.type) {
    case "yield": {
      const reason = await giveAway(host);
      if (reason === undefined) log.event("info", "control plane handed over");
      await channel.send(reason === undefined ? { type: "yielded" } : { type: "kept", reason });
      return;
    }
    case "resume":
      await host.resumeControl();
      log.event("info", "control plane taken back");
      await channel.send({ type: "resumed" });
      return;
    case "retire":
      await host.retire(message.controlApi);
      onRetired();
      return;
    case "take":
      // For a host that is only about to start: run-supervisor.ts waits for it.
      return;
  }
}

/** Nothing, or why not. Rejects if the control plane is lost over it. */
async function giveAway(host: HandoverHost): Promise<string | undefined> {
  try {
    await host.yieldControl();
    return undefined;
  } catch (error) {
    await host.resumeControl();
    return reasonOf(error);
  }
}

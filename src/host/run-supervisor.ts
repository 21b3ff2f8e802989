/** The supervisor's process: arguments in, one host, what people read, signals, handover, exit code. */
import { settingsOrExit, fail } from "./command.ts";
import {
  followHandover,
  launchOf,
  type HandoverHost,
  type Launch,
  type LauncherChannel,
  type Listener,
} from "./handover.ts";
import { HostError } from "./host-error.ts";
import { createLog, type Log } from "./log.ts";
import type { Environment, Settings } from "./settings.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Ctrl-C under npm can arrive twice at once, from the terminal and from npm; the second press comes later. */
const SAME_PRESS_MS = 500;

/** What the process needs of a host. */
export interface SupervisedHost extends HandoverHost {
  /** Where clients reach the API, e.g. `http://localhost:8787`. */
  readonly url: string;
  readonly accountId: string;
  readonly dataDirectory: string;
  /** Made at this start and stored nowhere; undefined if the token is the stored or the preset one. */
  readonly newRootToken: string | undefined;
  /** Process id of the runtime; another one after each restart. */
  pid(): number | undefined;
  /** Drains, ends every process and releases the data directory. May be called again. */
  stop(): Promise<void>;
}

export interface StartParts {
  readonly log: Log;
  /** Accept here; it listens already, and the launcher keeps it. */
  readonly listener: Listener;
  /** The `controlApi` of the running host that this one succeeds. */
  readonly predecessorApi: string | undefined;
  /** The process that operators know and signal: the launcher's. */
  readonly hostPid: number;
  /** Called if the host is of no use any more. */
  readonly onGivenUp: () => void;
}

export interface SupervisorProcess {
  /**
   * Everything that can be refused before the data directory is opened; the more the better if another host would
   * have to give it up first. Throws a HostError.
   */
  readonly check: (settings: Settings, launch: Launch) => void | Promise<void>;
  readonly start: (settings: Settings, parts: StartParts) => Promise<SupervisedHost>;
}

/** Runs until a signal or until it is retired. Exit codes: 0 stopped in order, 1 could not start or go on, 2 wrong usage. */
export async function runSupervisor(
  argv: readonly string[],
  env: Environment,
  { check, start }: SupervisorProcess,
): Promise<void> {
  // What the runtime stores is for this user alone, like the directory.
  process.umask(0o077);
  // A reader of the log that goes away does not take the service with it.
  process.stdout.on("error", () => undefined);
  const started = launchOf(env);
  const channel = processChannel();
  if (!started || !channel) {
    process.stderr.write('switchback: This is started by "npm start", not by hand.\n');
    process.exit(2);
  }
  // Nobody keeps the port or would start this process again: the next host must find both free.
  channel.onLost(() => process.exit(1));
  if (!process.connected) process.exit(1);
  const hostPid = process.ppid;
  const settings = settingsOrExit(argv, env);
  const log = createLog(
    (text) => process.stdout.write(text),
    () => new Date(),
    { format: settings.logFormat },
  );
  let host: SupervisedHost | undefined;
  try {
    await check(settings, started.launch);
    const predecessorApi = started.launch === "handover" ? await turnToTake(channel) : undefined;
    host = await start(settings, {
      log,
      listener: started.listener,
      predecessorApi,
      hostPid,
      onGivenUp: () => endWith(1, host),
    });
  } catch (error) {
    if (started.launch === "handover" && error instanceof HostError) {
      await channel.send({ type: "refused", reason: error.message });
      process.exit(1);
    }
    fail(error, 1);
  }
  const running = host;
  followHandover({
    channel,
    host: running,
    log,
    onRetired: () => process.exit(0),
    onBroken: () => endWith(1, running),
  });
  stopOnSignal(running, log);
  await channel.send({ type: "ready", controlApi: running.controlApi });
  introduce(running, settings, { log, hostPid, launch: started.launch });
}

/** The predecessor has let go of the data directory when this resolves, to its `controlApi`. */
function turnToTake(channel: LauncherChannel): Promise<string> {
  return new Promise((done) => {
    channel.onMessage((message) => {
      if (message.type === "take") done(message.predecessorApi);
    });
    void channel.send({ type: "prepared" });
  });
}

function endWith(code: number, host: SupervisedHost | undefined): void {
  void Promise.resolve(host?.stop()).finally(() => process.exit(code));
}

/** Nothing if this process has no parent that listens. */
function processChannel(): LauncherChannel | undefined {
  if (!process.send) return undefined;
  return {
    send: (message) =>
      new Promise((done) => {
        // A launcher that is gone is dealt with by `onLost`.
        process.send?.(message, undefined, {}, () => done());
      }),
    onMessage: (listener) => void process.on("message", listener),
    onLost: (listener) => void process.once("disconnect", listener),
  };
}

/** The token itself only if it was made just now; the three lines only at the first start. */
function introduce(
  host: SupervisedHost,
  settings: Settings,
  { log, hostPid, launch }: { log: Log; hostPid: number; launch: Launch },
): void {
  if (launch === "first" || host.newRootToken !== undefined) {
    const token =
      host.newRootToken ??
      (settings.rootToken === undefined
        ? "<the token shown at the first start>"
        : '"$SWITCHBACK_ROOT_TOKEN"');
    const once = host.newRootToken === undefined ? "" : " The token is shown this once; keep it.";
    // Not in the log where that is for machines, which would keep the token.
    const where = settings.logFormat === "json" ? process.stderr : process.stdout;
    where.write(
      `\nPoint wrangler at it with these three lines.${once}\n\n` +
        `export CLOUDFLARE_API_BASE_URL=${host.url}/client/v4\n` +
        `export CLOUDFLARE_API_TOKEN=${token}\n` +
        `export CLOUDFLARE_ACCOUNT_ID=${host.accountId}\n\n`,
    );
  }
  // Last: who waits for this line has everything above it.
  log.event("info", "switchback ready", {
    url: host.url,
    data: host.dataDirectory,
    pid: hostPid,
    runtime: host.pid(),
  });
}

function stopOnSignal(host: SupervisedHost, log: Log): void {
  let firstAt: number | undefined;
  for (const name of SIGNALS) {
    // Miniflare's own listeners would end this process at once, and every request in flight with it.
    process.removeAllListeners(name);
    process.on(name, () => {
      if (firstAt !== undefined) {
        if (performance.now() - firstAt > SAME_PRESS_MS) process.exit(1);
        return;
      }
      firstAt = performance.now();
      log.event("info", "stopping", { signal: name });
      void host.stop().then(() => {
        log.event("info", "stopped");
        process.exit(0);
      });
    });
  }
}

/** The command: arguments in, one host, what people read, signals, exit code. */
import { parseSettings, type Environment, type Settings } from "./settings.ts";
import { HELP } from "./help.ts";
import { startHost, type Host, type HostParts } from "./host.ts";
import { HostError } from "./host-error.ts";
import { createLog, type Log } from "./log.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Ctrl-C under npm can arrive twice at once, from the terminal and from npm; the second press comes later. */
const SAME_PRESS_MS = 500;

/** Runs until a signal. Exit codes: 0 stopped in order, 1 could not start or go on, 2 wrong usage. */
export async function runCommand(
  argv: readonly string[],
  env: Environment,
  parts: Omit<HostParts, "log" | "onGivenUp">,
): Promise<void> {
  // What the runtime stores is for this user alone, like the directory.
  process.umask(0o077);
  // A reader of the log that goes away does not take the service with it.
  process.stdout.on("error", () => undefined);
  const log = createLog(
    (text) => process.stdout.write(text),
    () => new Date(),
  );
  const settings = settingsOrExit(argv, env);
  let host: Host | undefined;
  try {
    host = await startHost(settings, {
      ...parts,
      log,
      onGivenUp: () => void host?.stop().finally(() => process.exit(1)),
    });
  } catch (error) {
    fail(error, 1);
  }
  stopOnSignal(host, log);
  introduce(host, settings, log);
}

function settingsOrExit(argv: readonly string[], env: Environment): Settings {
  try {
    const settings = parseSettings(argv, env);
    if (settings !== "help") return settings;
  } catch (error) {
    fail(error, 2);
  }
  process.stdout.write(HELP);
  process.exit(0);
}

/** What an operator can mend in one line; anything else is a bug and shows where it is. */
function fail(error: unknown, code: number): never {
  const text = error instanceof HostError ? error.message : (error as Error).stack;
  process.stderr.write(`switchback: ${text}\n`);
  process.exit(code);
}

/** The token itself only if it was made just now. */
function introduce(host: Host, settings: Settings, log: Log): void {
  const token =
    host.newRootToken ??
    (settings.rootToken === undefined
      ? "<the token shown at the first start>"
      : '"$SWITCHBACK_ROOT_TOKEN"');
  const once = host.newRootToken === undefined ? "" : " The token is shown this once; keep it.";
  process.stdout.write(
    `\nPoint wrangler at it with these three lines.${once}\n\n` +
      `export CLOUDFLARE_API_BASE_URL=${host.url}/client/v4\n` +
      `export CLOUDFLARE_API_TOKEN=${token}\n` +
      `export CLOUDFLARE_ACCOUNT_ID=${host.accountId}\n\n`,
  );
  // Last: who waits for this line has everything above it.
  log.event("info", `switchback ready url=${host.url}`, {
    data: host.dataDirectory,
    pid: process.pid,
    runtime: host.pid(),
  });
}

function stopOnSignal(host: Host, log: Log): void {
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

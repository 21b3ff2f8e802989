/** What the commands for backup, restore and upgrade have in common: one job, one sentence about it, one exit code. */
import { HostError } from "./host-error.ts";
import type { Environment } from "./settings.ts";

/** The job, which gives the sentence to print; or why there is none. */
export type Command = (argv: readonly string[], env: Environment) => Job | "help" | "usage";
export type Job = () => Promise<string>;

/** Exit codes: 0 done, 1 refused or failed and nothing changed, 2 wrong usage. */
export async function runOnce(help: string, command: Command): Promise<void> {
  // What is written is for this user alone.
  process.umask(0o077);
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // An exit, so that what is half-written is removed.
    process.once(name, () => process.exit(1));
  }
  let job: Job | "help" | "usage";
  try {
    job = command(process.argv.slice(2), process.env);
  } catch (error) {
    return fail(error, 2);
  }
  if (job === "help") {
    process.stdout.write(help);
    return;
  }
  if (job === "usage") {
    process.stderr.write(help);
    process.exitCode = 2;
    return;
  }
  try {
    process.stdout.write(`${await job()}\n`);
  } catch (error) {
    fail(error, 1);
  }
}

/** What the system refuses (a full disk, a folder of somebody else) is one line too; the rest is a bug. */
function fail(error: unknown, code: number): void {
  const isSystem = error instanceof Error && "syscall" in error;
  const plain = error instanceof HostError || isSystem;
  const text = error instanceof Error ? (plain ? error.message : error.stack) : String(error);
  process.stderr.write(`switchback: ${text}\n`);
  process.exitCode = code;
}

/** The command's face, for the launcher and the supervisor alike: arguments in, or a word to the operator. */
import { HELP } from "./help.ts";
import { HostError } from "./host-error.ts";
import { parseSettings, type Environment, type Settings } from "./settings.ts";

/** Ends the process with 0 after `--help`, with 2 if the usage is wrong. */
export function settingsOrExit(argv: readonly string[], env: Environment): Settings {
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
export function fail(error: unknown, code: number): never {
  const text = error instanceof HostError ? error.message : (error as Error).stack;
  process.stderr.write(`switchback: ${text}\n`);
  process.exit(code);
}

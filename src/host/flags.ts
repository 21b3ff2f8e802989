/** The flags of a command line, for every command alike. */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import { HostError } from "./host-error.ts";

/** Throws a HostError for anything that it does not understand, and for a flag whose value is empty. */
export function readFlags<const O extends ParseArgsOptionsConfig>(
  argv: readonly string[],
  options: O,
) {
  const values = parsed(argv, options);
  for (const [name, value] of Object.entries(values)) {
    // As a path it would be the current directory, as an address every one: a variable that was not set.
    if ([value].flat().includes("")) {
      throw new HostError(`--${name} has no value. See --help for the flags.`);
    }
  }
  return values;
}

function parsed<const O extends ParseArgsOptionsConfig>(argv: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...argv], options, strict: true }).values;
  } catch (error) {
    // Node's text goes on about how to pass a value that starts with a dash; its first sentence is enough.
    const text = error instanceof Error ? error.message.split(/[.\n]( |$)/, 1)[0] : String(error);
    throw new HostError(`${text}. See --help for the flags.`);
  }
}

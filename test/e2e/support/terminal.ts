/** wrangler in a pseudo-terminal, with somebody who answers its questions. */
import { spawn, spawnSync } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import type { Project } from "./project.ts";
import { wranglerCommand, wranglerEnvironment } from "./wrangler.ts";

/** What is asked, and the keys that are pressed then. In order. */
export type Answers = readonly (readonly [question: RegExp, keys: string])[];

export interface TerminalRun {
  readonly code: number | null;
  /** What was on the screen, without colours and cursor movements. */
  readonly output: string;
  /** How many of the questions were asked. */
  readonly asked: number;
}

const RUN_MS_MAX = 60_000;

/** Python's own way: its exit code is the command's. */
const PTY_SPAWN =
  "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(['/bin/sh', '-c', sys.argv[1]])))";

/** Runs to its end. Fails after a minute, as a question that nobody answers would last for ever. */
export async function inTerminal(
  project: Project,
  args: readonly string[],
  answers: Answers,
): Promise<TerminalRun> {
  // A new terminal has no width; in a narrow one the questions are broken into lines.
  const command = `stty cols 200 rows 50; exec ${wranglerCommand(args).map(quoted).join(" ")}`;
  const [program, ...rest] = terminalFor(command);
  const child = spawn(program, rest, {
    cwd: project.directory,
    env: { ...wranglerEnvironment(project.host), TERM: "xterm", SHELL: "/bin/sh" },
    stdio: ["pipe", "pipe", "pipe"],
  });
  // It may have ended before the last key was pressed.
  child.stdin.on("error", () => undefined);
  let raw = "";
  let asked = 0;
  let from = 0;
  const heard = (text: string) => {
    raw += text;
    // Of the whole: a control sequence may arrive in two pieces.
    const output = stripVTControlCharacters(raw);
    const next = answers[asked];
    if (next === undefined || !next[0].test(output.slice(from))) return;
    from = output.length;
    asked += 1;
    child.stdin.write(next[1]);
  };
  child.stdout.setEncoding("utf8").on("data", heard);
  child.stderr.setEncoding("utf8").on("data", heard);
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, RUN_MS_MAX);
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("close", done);
  }).finally(() => clearTimeout(timer));
  const output = stripVTControlCharacters(raw);
  if (isLate)
    throw new Error(`wrangler waited for ${answers[asked]?.[0] ?? "nothing"}:\n${output}`);
  return { code, output, asked };
}

/** util-linux is part of every Debian and Ubuntu; the `script` of other systems has other options. */
function terminalFor(command: string): readonly [string, ...string[]] {
  if (printed("script", "--version").includes("util-linux"))
    return ["script", "-qfec", command, "/dev/null"];
  if (printed("python3", "--version").startsWith("Python 3"))
    return ["python3", "-c", PTY_SPAWN, command];
  throw new Error(
    "A pseudo-terminal is needed, and there is none: install script (util-linux) or python3.",
  );
}

const printed = (program: string, arg: string): string =>
  spawnSync(program, [arg], { encoding: "utf8" }).stdout ?? "";

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;

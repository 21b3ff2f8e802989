/** The real wrangler as its users run it, with nothing of the machine's own settings. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { closeSync, mkdirSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { temporaryDirectory } from "./temporary-directory.ts";
import { ACCOUNT_ID, ROOT_TOKEN, type TestHost } from "./test-host.ts";

const WRANGLER = fileURLToPath(
  new URL("../../../node_modules/wrangler/bin/wrangler.js", import.meta.url),
);

export interface WranglerRun {
  readonly code: number | null;
  /** Standard output and error as a user sees them, without colours. */
  readonly output: string;
  readonly stdout: string;
}

let home: string | undefined;

/** A home where wrangler already knows that it is the newest, so that it asks nobody. */
function wranglerHome(): string {
  if (home !== undefined) return home;
  home = temporaryDirectory();
  mkdirSync(join(home, "update-check"));
  writeFileSync(
    join(home, "update-check", "wrangler-latest.json"),
    JSON.stringify({ latest: null, lastUpdate: Date.now() }),
  );
  return home;
}

/** What wrangler is told by its environment. */
export const wranglerEnvironment = (host: TestHost): NodeJS.ProcessEnv => ({
  PATH: process.env["PATH"],
  HOME: wranglerHome(),
  TMPDIR: wranglerHome(),
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${host.port}/client/v4`,
  CLOUDFLARE_API_TOKEN: ROOT_TOKEN,
  CLOUDFLARE_ACCOUNT_ID: ACCOUNT_ID,
});

/** How wrangler is started, as a program and its arguments. */
export const wranglerCommand = (args: readonly string[]): readonly [string, ...string[]] => [
  process.execPath,
  WRANGLER,
  ...args,
];

/** Starts `wrangler …args` in `cwd` without a terminal. `input`: a file that it reads from. */
export function startWrangler(
  host: TestHost,
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input?: string,
): ChildProcessByStdio<null, Readable, Readable> {
  const [program, ...rest] = wranglerCommand(args);
  const opened = input === undefined ? null : openSync(input, "r");
  try {
    return spawn(program, rest, {
      cwd,
      env: { ...wranglerEnvironment(host), ...env },
      stdio: [opened ?? "ignore", "pipe", "pipe"],
    }) as ChildProcessByStdio<null, Readable, Readable>;
  } finally {
    if (opened !== null) closeSync(opened);
  }
}

/** Runs `wrangler …args` to its end. Never rejects: the exit code is the caller's to judge. */
export function wrangler(
  host: TestHost,
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  input?: string,
): Promise<WranglerRun> {
  const child = startWrangler(host, cwd, args, env, input);
  let stdout = "";
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString("utf8");
    output += chunk.toString("utf8");
  });
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) =>
      resolve({ code, stdout, output: stripVTControlCharacters(output) }),
    );
  });
}

/** {@link wrangler}, for a run that has to succeed. */
export async function wranglerOk(
  host: TestHost,
  cwd: string,
  args: readonly string[],
): Promise<WranglerRun> {
  const run = await wrangler(host, cwd, args);
  if (run.code !== 0)
    throw new Error(`wrangler ${args.join(" ")} exited ${run.code}:\n${run.output}`);
  return run;
}

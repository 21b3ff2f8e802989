/** The real wrangler as its users run it, with nothing of the machine's own settings. */
import { spawn, type ChildProcessByStdio } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
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

/** Starts `wrangler …args` in `cwd` without a terminal. */
export function startWrangler(
  host: TestHost,
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [WRANGLER, ...args], {
    cwd,
    env: {
      PATH: process.env["PATH"],
      HOME: wranglerHome(),
      TMPDIR: wranglerHome(),
      WRANGLER_HIDE_BANNER: "true",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_SEND_ERROR_REPORTS: "false",
      CLOUDFLARE_API_BASE_URL: `http://127.0.0.1:${host.port}/client/v4`,
      CLOUDFLARE_API_TOKEN: ROOT_TOKEN,
      CLOUDFLARE_ACCOUNT_ID: ACCOUNT_ID,
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Runs `wrangler …args` to its end. Never rejects: the exit code is the caller's to judge. */
export function wrangler(
  host: TestHost,
  cwd: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<WranglerRun> {
  const child = startWrangler(host, cwd, args, env);
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

/** `npm run backup`. */
import { backUp } from "./backup.ts";
import { runOnce } from "./run-once.ts";
import { switchbackVersion } from "./switchback-version.ts";
import { readFlags } from "./flags.ts";

const HELP = `Takes a consistent backup of a Switchback, running or stopped, into one file.

Usage: npm run backup -- --out FILE [flags]

  --out FILE        the file to make; it holds the key to all secrets, so keep it like one
  --data DIRECTORY  the data directory               (SWITCHBACK_DATA, or ./switchback-data)
  --force           replace FILE if it is there
  --help            this text
`;

await runOnce(HELP, (argv, env) => {
  const flags = readFlags(argv, {
    out: { type: "string" },
    data: { type: "string" },
    force: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  });
  if (flags.help) return "help";
  const { out } = flags;
  if (!out) return "usage";
  return async () => {
    const { file, manifest, pausedMs } = await backUp({
      dataDirectory: flags.data ?? (env["SWITCHBACK_DATA"] || "./switchback-data"),
      out,
      force: flags.force ?? false,
      version: switchbackVersion(),
    });
    const pause =
      pausedMs === null ? "no runtime ran" : `its runtime paused for ${pausedMs.toFixed(1)} ms`;
    return `${file} holds account ${manifest.account_id} as of ${manifest.created}: ${manifest.files.length} files; ${pause}.`;
  };
});

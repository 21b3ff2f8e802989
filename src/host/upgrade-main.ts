/** `npm run upgrade`. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { readFlags } from "./flags.ts";
import { renewScript, requestUpgrade } from "./request-upgrade.ts";
import { runOnce } from "./run-once.ts";
import { switchbackVersion } from "./switchback-version.ts";

const HELP = `Brings a running Switchback to the code that lies here now, without failing a request.

Usage: npm run upgrade -- [flags]

  --data DIRECTORY  the data directory               (SWITCHBACK_DATA, or ./switchback-data)
  --no-build        take dist/switchback.js as it is
  --help            this text
`;

const root = fileURLToPath(new URL("../..", import.meta.url));

function build(file: string): void {
  const args = ["run", "--silent", "build", "--", `--outfile=${file}`];
  execFileSync("npm", args, { cwd: root, stdio: "inherit" });
}

await runOnce(HELP, (argv, env) => {
  const flags = readFlags(argv, {
    data: { type: "string" },
    "no-build": { type: "boolean" },
    help: { type: "boolean", short: "h" },
  });
  if (flags.help) return "help";
  return async () => {
    const renew = flags["no-build"]
      ? undefined
      : () => renewScript(`${root}dist/switchback.js`, build);
    const data = flags.data ?? (env["SWITCHBACK_DATA"] || "./switchback-data");
    const pid = await requestUpgrade(data, renew);
    return `Upgraded: process ${pid} runs Switchback ${switchbackVersion()} from here.`;
  };
});

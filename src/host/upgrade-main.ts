/** `npm run upgrade`. */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { readFlags, runOnce, switchbackVersion } from "./backup-command.ts";
import { renewScript, requestUpgrade } from "./request-upgrade.ts";

const HELP = `Brings a running Switchback to the code that lies here now, without failing a request.

Usage: npm run upgrade -- [flags]

  --data DIRECTORY  the data directory               (SWITCHBACK_DATA, or ./switchback-data)
  --no-build        take dist/switchback.js as it is
  --help            this text
`;

const root = fileURLToPath(new URL("../..", import.meta.url));

function build(file: string): void {
  const args = ["run", "--silent", "build", "--", `--outfile=${file}`, "--sourcemap=inline"];
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
    if (!flags["no-build"]) await renewScript(`${root}dist/switchback.js`, build);
    const pid = await requestUpgrade(flags.data ?? (env["SWITCHBACK_DATA"] || "./switchback-data"));
    return `Upgraded: process ${pid} runs Switchback ${switchbackVersion()} from here.`;
  };
});

/** `npm run restore`. */
import { runOnce } from "./run-once.ts";
import { readFlags } from "./flags.ts";
import { restore } from "./restore.ts";

const HELP = `Makes a data directory from a backup. End the host that it was taken from first.

Usage: npm run restore -- --data DIRECTORY --from FILE

  --data DIRECTORY  an empty directory, or one that is not there yet
  --from FILE       a backup made by "npm run backup"
  --help            this text
`;

await runOnce(HELP, (argv) => {
  const flags = readFlags(argv, {
    data: { type: "string" },
    from: { type: "string" },
    help: { type: "boolean", short: "h" },
  });
  if (flags.help) return "help";
  const { data, from } = flags;
  if (!data || !from) return "usage";
  return async () => {
    const { account_id, created, switchback, files } = await restore({ dataDirectory: data, from });
    return `${data} holds account ${account_id} as of ${created} (Switchback ${switchback}, ${files.length} files). Start it with: npm start -- --data ${data}`;
  };
});

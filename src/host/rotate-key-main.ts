/** `npm run rotate-key`. */
import { resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { readFlags } from "./flags.ts";
import { HostError } from "./host-error.ts";
import { addSecretsKey, storedKeys } from "./installation.ts";
import { requestUpgrade, takeTurnAt } from "./request-upgrade.ts";
import { runOnce } from "./run-once.ts";

const HELP = `Changes the key under which secrets are stored, while the host runs and without failing a request.
Interrupted, it is finished by running it again, or by the next start of the host.

Usage: npm run rotate-key -- [flags]

  --data DIRECTORY  the data directory               (SWITCHBACK_DATA, or ./switchback-data)
  --help            this text
`;

const LOOK_MS = 200;
/** Thousands of versions take seconds. */
const DONE_MS_MAX = 10 * 60_000;

await runOnce(HELP, (argv, env) => {
  const flags = readFlags(argv, {
    data: { type: "string" },
    help: { type: "boolean", short: "h" },
  });
  if (flags.help) return "help";
  return async () => {
    const data = flags.data ?? (env["SWITCHBACK_DATA"] || "./switchback-data");
    // Of two that add a key at once, secrets could be stored under the one that is overwritten.
    const turn = await takeTurnAt(resolve(data), "rotate-key.lock", "npm run rotate-key");
    try {
      return await changeKey(data);
    } finally {
      turn.release();
    }
  };
});

async function changeKey(data: string): Promise<string> {
  const [first] = addSecretsKey(data);
  // The host takes the new key as it takes a new release: by a successor, while requests are served.
  await requestUpgrade(data).catch((error: unknown) => {
    if (!(error instanceof HostError)) throw error;
    throw new HostError(
      `${error.message} The new key ${first?.id ?? ""} is in installation.json already; the next start of the host, or this command once it runs, finishes the change.`,
    );
  });
  const deadline = performance.now() + DONE_MS_MAX;
  while (storedKeys(data).length > 1) {
    if (performance.now() > deadline)
      throw new HostError(
        "The key is changed for new secrets, but not all older ones are under it yet. The host's log says why; it goes on, and npm run rotate-key waits for it again.",
      );
    await sleep(LOOK_MS);
  }
  return `Secrets are stored under the key ${first?.id ?? ""} now, and the older one is gone from this directory. Backups made before keep theirs. Copy installation.json to a safe place: without its key no stored secret can be read.`;
}

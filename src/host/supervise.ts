/** The supervisor: started by the launcher (main.ts), which keeps the public socket. */
import { fileURLToPath } from "node:url";
import { readScript, startHost } from "./host.ts";
import { runSupervisor } from "./run-supervisor.ts";

const scriptFile = fileURLToPath(new URL("../../dist/switchback.js", import.meta.url));
const migrationsDirectory = fileURLToPath(new URL("../../migrations", import.meta.url));

await runSupervisor(process.argv.slice(2), process.env, {
  check: () => void readScript(scriptFile),
  start: (settings, parts) => startHost(settings, { scriptFile, migrationsDirectory, ...parts }),
});

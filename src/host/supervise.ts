/** The supervisor: started by the launcher (main.ts), which keeps the public socket. */
import { fileURLToPath } from "node:url";
import { readScript, startHost } from "./host.ts";
import { checkLoads } from "./request-upgrade.ts";
import { runSupervisor } from "./run-supervisor.ts";

const scriptFile = fileURLToPath(new URL("../../dist/switchback.js", import.meta.url));
const migrationsDirectory = fileURLToPath(new URL("../../migrations", import.meta.url));

await runSupervisor(process.argv.slice(2), process.env, {
  check: async (_settings, launch) => {
    readScript(scriptFile);
    if (launch === "handover") await checkLoads(scriptFile);
  },
  start: (settings, parts) => startHost(settings, { scriptFile, migrationsDirectory, ...parts }),
});

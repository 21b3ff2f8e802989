/** The supervisor of a benchmark's host: that of `npm start`, with the Worker that the benchmark names. */
import { fileURLToPath } from "node:url";
import { readScript, startHost } from "../../src/host/host.ts";
import { runSupervisor } from "../../src/host/run-supervisor.ts";

const scriptFile = process.env["BENCH_SCRIPT_FILE"] ?? "";
const migrationsDirectory = fileURLToPath(new URL("../../migrations", import.meta.url));

await runSupervisor(process.argv.slice(2), process.env, {
  check: () => void readScript(scriptFile),
  start: (settings, parts) => startHost(settings, { scriptFile, migrationsDirectory, ...parts }),
});

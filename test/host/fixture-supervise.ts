/** The real supervisor over the fixture Worker, with a host that notices trouble sooner. */
import { fileURLToPath } from "node:url";
import { startHost } from "../../src/host/host.ts";
import { runSupervisor } from "../../src/host/run-supervisor.ts";
import { HEALTH_POLICY } from "../../src/host/supervisor.ts";

const scriptFile = fileURLToPath(new URL("fixture-worker.js", import.meta.url));
const migrationsDirectory =
  process.env["FIXTURE_MIGRATIONS"] ??
  fileURLToPath(new URL("fixture-migrations", import.meta.url));

await runSupervisor(process.argv.slice(2), process.env, {
  check: () => undefined,
  start: (settings, parts) =>
    startHost(settings, {
      scriptFile,
      migrationsDirectory,
      health: { ...HEALTH_POLICY, intervalMs: 200, missesMax: 2 },
      ...parts,
    }),
});

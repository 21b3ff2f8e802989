/** The real command over the fixture Worker, with a host that notices trouble sooner. */
import { fileURLToPath } from "node:url";
import { runCommand } from "../../src/host/command.ts";
import { HEALTH_POLICY } from "../../src/host/supervisor.ts";

await runCommand(process.argv.slice(2), process.env, {
  scriptFile: fileURLToPath(new URL("fixture-worker.js", import.meta.url)),
  migrationsDirectory:
    process.env["FIXTURE_MIGRATIONS"] ??
    fileURLToPath(new URL("fixture-migrations", import.meta.url)),
  health: { ...HEALTH_POLICY, intervalMs: 200, missesMax: 2 },
});

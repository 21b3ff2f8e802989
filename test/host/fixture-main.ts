/** The real launcher over a supervisor whose Worker is the fixture. */
import { fileURLToPath } from "node:url";
import { runLauncher } from "../../src/host/run-launcher.ts";

await runLauncher(process.argv.slice(2), process.env, {
  supervisorFile: fileURLToPath(new URL("fixture-supervise.ts", import.meta.url)),
});

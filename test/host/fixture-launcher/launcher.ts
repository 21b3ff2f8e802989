/** The real launcher over the fixture supervisor. */
import { fileURLToPath } from "node:url";
import { runLauncher } from "../../../src/host/run-launcher.ts";

await runLauncher(process.argv.slice(2), process.env, {
  supervisorFile: fileURLToPath(new URL("supervisor.ts", import.meta.url)),
});

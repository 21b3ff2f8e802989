/** A host's own process: `npm start` with another Worker in it. Ends with the benchmark, however that ends. */
import { fileURLToPath } from "node:url";
import { runLauncher } from "../../src/host/run-launcher.ts";

process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
await runLauncher(process.argv.slice(2), process.env, {
  supervisorFile: fileURLToPath(new URL("supervisor-entry.ts", import.meta.url)),
});
process.channel?.unref();

/** A host's own process: `npm start` with another Worker in it. Ends with the benchmark, however that ends. */
import { fileURLToPath } from "node:url";
import { runCommand } from "../../src/host/command.ts";

const [scriptFile = "", ...flags] = process.argv.slice(2);
process.once("disconnect", () => process.kill(process.pid, "SIGTERM"));
await runCommand(flags, process.env, {
  scriptFile,
  migrationsDirectory: fileURLToPath(new URL("../../migrations", import.meta.url)),
});
process.channel?.unref();

/** `npm start`. */
import { fileURLToPath } from "node:url";
import { runCommand } from "./command.ts";

await runCommand(process.argv.slice(2), process.env, {
  scriptFile: fileURLToPath(new URL("../../dist/switchback.js", import.meta.url)),
  migrationsDirectory: fileURLToPath(new URL("../../migrations", import.meta.url)),
});

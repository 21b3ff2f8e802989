/** `npm start`: the launcher. */
import { dirname, join } from "node:path";
import { runLauncher } from "./run-launcher.ts";

await runLauncher(process.argv.slice(2), process.env, {
  // By the path that was given, not by where it leads: an upgrade may point a link at another release.
  supervisorFile: join(dirname(process.argv[1] ?? ""), "supervise.ts"),
});

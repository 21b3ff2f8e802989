/** Loaded into the host's Node processes before anything else: changes sources as they are loaded. */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { plantedChanges } from "./planted-bugs.ts";

const changes = plantedChanges(process.env);
registerHooks({
  load(url, context, nextLoad) {
    const path = url.startsWith("file:") ? fileURLToPath(url) : "";
    const ours = changes.filter(({ file }) => path.endsWith(`/${file}`));
    if (ours.length === 0) return nextLoad(url, context);
    const text = readFileSync(path, "utf8");
    const source = ours.reduce((before, { from, to }) => before.replace(from, () => to), text);
    return { ...nextLoad(url, context), format: "module-typescript", source };
  },
});

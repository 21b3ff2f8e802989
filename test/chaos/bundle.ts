/** Bundles the two chaos Workers from the product's own sources; a planted bug is put in here and nowhere else. */
import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build as bundleFiles, type Plugin } from "esbuild";

const HERE = dirname(fileURLToPath(import.meta.url));
export const ROOT = join(HERE, "../..");

/** A change of one source text that breaks the promise; the harness has to notice. */
export interface PlantedBug {
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export interface Bundles {
  readonly control: string;
  readonly gateway: string;
}

export async function bundleWorkers(bug: PlantedBug | null): Promise<Bundles> {
  const [control, gateway] = await Promise.all([
    bundle("workers/control.ts", bug),
    bundle("workers/gateway.ts", bug),
  ]);
  return { control, gateway };
}

/** The Worker that a host runs. */
export const bundleHostScript = (bug: PlantedBug): Promise<string> =>
  bundleWith([join(ROOT, "src/index.ts")], [planted(bug)]);

const bundle = (entry: string, bug: PlantedBug | null): Promise<string> =>
  bundleWith([join(HERE, entry)], [abortingFaultPoints(), ...(bug === null ? [] : [planted(bug)])]);

async function bundleWith(entryPoints: string[], plugins: Plugin[]): Promise<string> {
  const made = await bundleFiles({
    entryPoints,
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:*", "node:*"],
    logLevel: "warning",
    plugins,
  });
  return made.outputFiles[0]?.text ?? "";
}

/** A lock is to die at a fault point, not to wait there. */
function abortingFaultPoints(): Plugin {
  const product = join(ROOT, "src/control/fault-point.ts");
  const ours = join(HERE, "workers/fault-point.ts");
  return {
    name: "aborting fault points",
    setup: (build) =>
      build.onResolve({ filter: /\/fault-point\.ts$/ }, ({ path, resolveDir }) =>
        resolve(resolveDir, path) === product ? { path: ours } : null,
      ),
  };
}

function planted({ name, file, from, to }: PlantedBug): Plugin {
  const path = join(ROOT, file);
  const text = readFileSync(path, "utf8");
  // A bug that no longer fits the source would be no bug, and the harness would seem blind.
  if (text.split(from).length !== 2) {
    throw new Error(`The planted bug "${name}" has to find its text in ${file} exactly once.`);
  }
  return {
    name: `planted bug: ${name}`,
    setup: (build) =>
      build.onLoad({ filter: /\.ts$/ }, (args) =>
        args.path === path ? { contents: text.replace(from, () => to), loader: "ts" } : null,
      ),
  };
}

/** The gateway's fixture Worker in a real runtime: `test/support/gateway-fixture.ts`, bundled. */
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";

/** Resolves when it answers. */
export async function startGatewayFixture(egress: "public" | "open"): Promise<Miniflare> {
  const bundle = await build({
    entryPoints: ["test/support/gateway-fixture.ts"],
    bundle: true,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:*"],
    write: false,
  });
  const allow = egress === "open" ? ["public", "private", "local"] : ["public"];
  const runtime = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      workers: [
        {
          name: "fixture",
          modules: [
            { type: "ESModule", path: "fixture.js", contents: bundle.outputFiles[0]!.text },
          ],
          compatibilityDate: "2026-10-23",
          compatibilityFlags: ["nodejs_compat"],
          workerLoaders: { LOADER: {} },
          bindings: { EGRESS: egress },
          serviceBindings: { INTERNET: { network: { allow, deny: [] } } },
        },
      ],
    }),
  );
  await runtime.ready;
  return runtime;
}

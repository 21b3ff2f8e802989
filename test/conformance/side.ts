/** The two places where the same Workers run. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";
import { temporaryDirectory } from "../e2e/support/temporary-directory.ts";
import { TestHost } from "../e2e/support/test-host.ts";
import { visit, type Visit, type VisitOptions } from "../e2e/support/visit.ts";
import { wranglerOk } from "../e2e/support/wrangler.ts";

const NAME = "conformance";
/** Each a directory with its own configuration, and the host where its Worker answers. */
const PROJECTS = {
  worker: `${NAME}.localhost`,
  pages: `${NAME}-pages.localhost`,
  spa: `${NAME}-spa.localhost`,
} as const;

export interface Side {
  /** Where each of the hosts is asked, on this machine. */
  readonly ports: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

/** A copy of the projects, with the ids of their resources filled in. */
function projects(ids: Readonly<Record<string, string>>): string {
  const directory = temporaryDirectory();
  for (const name of [...Object.keys(PROJECTS), "public"])
    cpSync(join(import.meta.dirname, name), join(directory, name), { recursive: true });
  const config = join(directory, "worker", "wrangler.toml");
  let text = readFileSync(config, "utf8");
  for (const [name, id] of Object.entries(ids)) text = text.replaceAll(name, id);
  writeFileSync(config, text);
  return directory;
}

export const visitSide = (side: Side, host: string, options: VisitOptions): Promise<Visit> =>
  visit(side.ports[host] ?? 0, host, options);

/** Cloudflare's own local runtime with its own bindings: what Switchback is compared with. */
export async function startReference(): Promise<Side> {
  const directory = projects({});
  const started = await Promise.all(
    Object.entries(PROJECTS).map(async ([name, host]) => {
      const runtime = await startRuntime(join(directory, name, "wrangler.toml"));
      return { host, runtime, port: Number((await runtime.ready).port) };
    }),
  );
  return {
    ports: Object.fromEntries(started.map(({ host, port }) => [host, port])),
    stop: async () => {
      for (const { runtime } of started) await runtime.dispose();
    },
  };
}

async function startRuntime(configPath: string): Promise<Miniflare> {
  const { workerOptions, main } = unstable_getMiniflareWorkerOptions(configPath);
  const { name } = unstable_readConfig({ config: configPath });
  const contents = main === undefined ? "export default {};" : await bundled(main);
  return new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      workers: [
        {
          ...workerOptions,
          name,
          modules: [{ type: "ESModule", path: "main.js", contents }],
        } as never,
      ],
    }),
  );
}

async function bundled(main: string): Promise<string> {
  const bundle = await build({
    entryPoints: [main],
    bundle: true,
    format: "esm",
    target: "es2024",
    external: ["cloudflare:*"],
    keepNames: true,
    write: false,
  });
  return bundle.outputFiles[0]!.text;
}

/** A Switchback, with the resources made through its API and the Workers deployed by wrangler. */
export async function startSubject(): Promise<Side> {
  const host = new TestHost();
  await host.start();
  const make = async (path: string, body: unknown) => {
    const answer = await host.send("POST", path, body);
    if (!answer.success) throw new Error(`${path}: ${JSON.stringify(answer.errors)}`);
    return answer.result;
  };
  const namespace = await make("A/storage/kv/namespaces", { title: NAME });
  const database = await make("A/d1/database", { name: NAME });
  await make("A/r2/buckets", { name: NAME });
  for (const queue of ["queue", "slow", "dead"])
    await make("A/queues", { queue_name: `${NAME}-${queue}` });
  const directory = projects({ KV_ID: namespace.id, D1_ID: database.uuid });
  for (const name of Object.keys(PROJECTS))
    await wranglerOk(host, join(directory, name), ["deploy"]);
  return {
    ports: Object.fromEntries(Object.values(PROJECTS).map((name) => [name, host.port])),
    stop: () => host.dispose(),
  };
}

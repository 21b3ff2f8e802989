/** The Worker of `fixtures/bindings.js`, with a binding of every kind: run directly, and deployed. */
import { readFileSync } from "node:fs";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { COMPATIBILITY_DATE } from "../../src/host/compatibility-date.ts";
import type { ApiClient } from "./api-client.ts";

const CODE = readFileSync(new URL("../fixtures/bindings.js", import.meta.url), "utf8");

export interface DirectWorker {
  readonly port: number;
  stop(): Promise<void>;
}

/** In one process with everything that it is bound to, as Miniflare has it, without any gateway. */
export async function startBoundDirectly(directory: string): Promise<DirectWorker> {
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      resourcePersistencePath: directory,
      workers: [
        {
          name: "bound",
          modules: [{ type: "ESModule", path: "bindings.js", contents: CODE }],
          compatibilityDate: COMPATIBILITY_DATE,
          kvNamespaces: { KV: "kv" },
          r2Buckets: { R2: "r2" },
          d1Databases: { DB: "db" },
          queueProducers: { QUEUE: { queueName: "queue" } },
          durableObjects: { COUNTER: { className: "Counter", useSQLite: true } },
          unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
        },
      ],
    }),
  );
  await miniflare.ready;
  const { port } = await miniflare.unsafeGetDirectURL("bound");
  return { port: Number(port), stop: () => miniflare.dispose() };
}

/** With everything that it is bound to made first, and its own host open. */
export async function putBoundWorker(api: ApiClient, name: string): Promise<void> {
  const kv = await api.call<{ id: string }>("POST", "/storage/kv/namespaces", { title: name });
  const d1 = await api.call<{ uuid: string }>("POST", "/d1/database", { name });
  await api.call("POST", "/r2/buckets", { name });
  await api.call("POST", "/queues", { queue_name: name });
  const bindings = [
    { type: "kv_namespace", name: "KV", namespace_id: kv.id },
    { type: "r2_bucket", name: "R2", bucket_name: name },
    { type: "d1", name: "DB", id: d1.uuid },
    { type: "queue", name: "QUEUE", queue_name: name },
    { type: "durable_object_namespace", name: "COUNTER", class_name: "Counter" },
  ];
  const script = `/workers/scripts/${name}`;
  const migrations = { new_tag: "v1", steps: [{ new_sqlite_classes: ["Counter"] }] };
  await api.upload("PUT", script, CODE, { bindings, migrations });
  await api.call("POST", `${script}/subdomain`, { enabled: true, previews_enabled: false });
}

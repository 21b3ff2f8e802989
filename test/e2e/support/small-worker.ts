/** Workers made by the SDK, for tests that are about something else than how they got there. */
import { toFile } from "cloudflare";
import { versionsOf } from "./api-state.ts";
import { ACCOUNT_ID, type TestHost } from "./test-host.ts";

const metadata = { main_module: "worker.mjs", compatibility_date: "2026-10-01" };

async function filesOf(source: string) {
  return [
    await toFile(Buffer.from(source), "worker.mjs", { type: "application/javascript+module" }),
  ];
}

/** Uploads and deploys a Worker on its own host; gives the version. `services`: bindings to other Workers, by name. */
export async function putWorker(
  host: TestHost,
  name: string,
  source: string,
  services: Readonly<Record<string, string>> = {},
): Promise<string> {
  const bindings = Object.entries(services).map(([binding, service]) => ({
    type: "service" as const,
    name: binding,
    service,
  }));
  const params = {
    account_id: ACCOUNT_ID,
    metadata: { ...metadata, bindings },
    files: await filesOf(source),
  };
  await host.sdk().workers.scripts.update(name, params);
  await host
    .sdk()
    .workers.scripts.subdomain.create(name, { account_id: ACCOUNT_ID, enabled: true });
  return (await versionsOf(host, name))[0]?.id ?? "";
}

/** Uploads a further version without deploying it. */
export async function addVersion(host: TestHost, name: string, source: string): Promise<string> {
  const params = { account_id: ACCOUNT_ID, metadata, files: await filesOf(source) };
  return (await host.sdk().workers.scripts.versions.create(name, params)).id ?? "";
}

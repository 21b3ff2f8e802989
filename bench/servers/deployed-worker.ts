/** Workers as a team would upload them, through the API. */
import type { ApiClient } from "./api-client.ts";

/** The same answer as the bare Worker's. */
export const HELLO_CODE = `export default { fetch() { return new Response("Hello"); } };\n`;

const script = (name: string) => `/workers/scripts/${name}`;

/** Uploads and deploys a Worker and opens its own host. Gives the version's id. */
export async function putWorker(api: ApiClient, name: string, code = HELLO_CODE): Promise<string> {
  const { deployment_id: versionId } = await api.upload<{ deployment_id: string }>(
    "PUT",
    script(name),
    code,
  );
  await api.call("POST", `${script(name)}/subdomain`, { enabled: true, previews_enabled: false });
  return versionId;
}

/** Gives the version's id. */
export async function uploadVersion(api: ApiClient, name: string, code: string): Promise<string> {
  return (await api.upload<{ id: string }>("POST", `${script(name)}/versions`, code)).id;
}

export async function deploy(
  api: ApiClient,
  name: string,
  versionId: string,
  message: string,
): Promise<void> {
  await api.call("POST", `${script(name)}/deployments`, {
    strategy: "percentage",
    versions: [{ version_id: versionId, percentage: 100 }],
    annotations: { "workers/message": message },
  });
}

export async function putRoutes(
  api: ApiClient,
  name: string,
  patterns: readonly string[],
): Promise<void> {
  const routes = patterns.map((pattern) => ({ pattern, zone_name: "bench.example" }));
  await api.call("PUT", `${script(name)}/routes`, routes);
}

/** A module of about that size in functions of ordinary length, most of which are never called. */
export function codeOfSize(bytes: number, mark: string): string {
  const parts = [`export default { fetch() { return new Response(${JSON.stringify(mark)}); } };\n`];
  let size = parts[0]?.length ?? 0;
  for (let i = 0; size < bytes; i++) {
    const part = `export function step${i}(input) {
  const parts = String(input ?? "${mark}").split("-").map((part, index) => part.length * index + ${i});
  if (parts.length > ${i % 17}) return { total: parts.reduce((a, b) => a + b, 0), parts };
  return { total: ${i}, parts, text: parts.join(", ") };
}\n`;
    parts.push(part);
    size += part.length;
  }
  return parts.join("");
}

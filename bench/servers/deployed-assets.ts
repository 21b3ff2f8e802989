/** A site as wrangler would upload it, through the API. */
import { createHash } from "node:crypto";
import type { ApiClient } from "./api-client.ts";
import { ACCOUNT_ID } from "./host-process.ts";

/** Uploads and deploys a Worker that has these files, and opens its own host. */
export async function putAssets(
  api: ApiClient,
  port: number,
  name: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const all = Object.entries(files).map(([path, text]) => ({
    path,
    text,
    hash: hashOf(path, text),
  }));
  const manifest = Object.fromEntries(
    all.map(({ path, text, hash }) => [path, { hash, size: Buffer.byteLength(text) }]),
  );
  const script = `/workers/scripts/${name}`;
  const session = await api.call<{ jwt: string; buckets: string[][] }>(
    "POST",
    `${script}/assets-upload-session`,
    { manifest },
  );
  const form = new FormData();
  for (const { text, hash } of all)
    form.append(hash, new File([btoa(text)], hash, { type: "text/html; charset=utf-8" }));
  // The token of the session stands in for the API token here.
  const url = `http://localhost:${port}/client/v4/accounts/${ACCOUNT_ID}/workers/assets/upload?base64=true`;
  const headers = { authorization: `Bearer ${session.jwt}` };
  const uploaded = await fetch(url, { method: "POST", body: form, headers });
  if (uploaded.status !== 201) throw new Error(`files were not taken: ${await uploaded.text()}`);
  const { result } = (await uploaded.json()) as { readonly result: { readonly jwt: string } };
  const code = `export default { fetch: () => new Response("no file") };\n`;
  await api.upload("PUT", script, code, { assets: { jwt: result.jwt } });
  await api.call("POST", `${script}/subdomain`, { enabled: true, previews_enabled: false });
}

/** As Cloudflare's guide for other clients than wrangler says. */
function hashOf(path: string, text: string): string {
  const extension = path.slice(path.lastIndexOf(".") + 1);
  return createHash("sha256")
    .update(btoa(text) + extension)
    .digest("hex")
    .slice(0, 32);
}

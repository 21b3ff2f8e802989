/** Secret values that are easy to find are brought in on every way and through every refusal; then they are looked for everywhere. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Project } from "./support/project.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";
import { ACCOUNT_ID, TestHost } from "./support/test-host.ts";

const run = promisify(execFile);
const command = (name: string) =>
  fileURLToPath(new URL(`../../src/host/${name}-main.ts`, import.meta.url));

/** Every value that was ever sent begins like this. */
const CANARY = "canary-5e1f-";
/** As text, and as it would look where bytes are shown otherwise. */
const FORMS = [
  CANARY,
  Buffer.from(CANARY).toString("base64").replaceAll("=", ""),
  Buffer.from(CANARY).toString("hex"),
];
let made = 0;
const canary = () => `${CANARY}${made++}`;

const host = new TestHost();
const restored = new TestHost();
beforeAll(() => host.start());
afterAll(() => Promise.all([host.dispose(), restored.dispose()]));

const source = `export default { fetch(request, env) { return new Response(String((env.KEY ?? "").length)); } };\n`;
/** All that the API and wrangler have said. */
const said: string[] = [];
const heard = <T>(answer: T): T => {
  said.push(JSON.stringify(answer));
  return answer;
};
const api = async (path: string, init?: RequestInit) => heard(await host.api(path, init));
const send = async (method: string, path: string, body: unknown) =>
  heard(await host.send(method, path, body));
const secret = (name: string, text: string) => ({ name, text, type: "secret_text" });
const S = "A/workers/scripts/vault";

async function backUp(): Promise<string> {
  const file = join(temporaryDirectory(), "backup.tar.gz");
  const flags = ["--data", host.directory, "--out", file];
  const { stdout, stderr } = await run(process.execPath, [command("backup"), ...flags]);
  said.push(stdout, stderr);
  return file;
}

test("no secret is in any answer, log line, file of the data directory or backup, and a backup from before a change of keys opens", async () => {
  const project = new Project(host, "vault", source, "workers_dev = true\npreview_urls = true");
  const wrangler = async (...args: string[]) => heard(await project.tryWrangler(...args));

  // Every way in.
  project.write("secrets.json", JSON.stringify({ KEY: canary() }));
  await wrangler("deploy", "--secrets-file", "secrets.json");
  const first = (await api(`${S}/deployments`)).result.deployments[0].versions[0].version_id;
  await send("PUT", `${S}/secrets`, secret("KEY", canary()));
  await send("PATCH", `${S}/secrets-bulk`, { secrets: { TWO: secret("TWO", canary()), NO: null } });
  await send("PATCH", "A/workers/workers/vault/versions/latest", {
    env: { KEY: { type: "secret_text", text: canary() } },
    annotations: { "workers/message": "m" },
  });
  project.write("bulk.json", JSON.stringify({ KEY: canary(), THREE: canary() }));
  await wrangler("versions", "secret", "bulk", "bulk.json");
  await wrangler("deploy", "--secrets-file", "secrets.json");
  await send("PATCH", `${S}/settings`, {
    bindings: [secret("KEY", canary()), { type: "inherit", name: "TWO" }],
  });
  await host.sdk().workers.scripts.secrets.update("vault", {
    account_id: ACCOUNT_ID,
    ...secret("KEY", canary()),
    type: "secret_text",
  });

  // Every way to be refused.
  const refused = [
    await send("PUT", `${S}/secrets`, secret("KEY", canary().repeat(1_000))),
    await send("PUT", `${S}/secrets`, secret("1 KEY", canary())),
    await send("PUT", `${S}/secrets`, { name: canary(), text: 1, type: "secret_text" }),
    await send("PUT", `${S}/secrets`, { ...secret("KEY", canary()), type: canary() }),
    await api(`${S}/secrets`, { method: "PUT", body: `{"text": "${canary()}"` }),
    await send("PUT", "A/workers/scripts/nobody/secrets", secret("KEY", canary())),
    await send("PATCH", "A/workers/workers/vault/versions/latest", {
      env: { KEY: { type: "secret_text", text: canary(), other: 1 }, "not a name": null },
      secret: canary(),
    }),
    await send("PATCH", `${S}/settings`, { bindings: [secret("K K", canary())] }),
    await send("POST", `${S}/deployments`, { versions: [{ version_id: first, percentage: 100 }] }),
  ];
  for (const { success, errors } of refused) expect(success, JSON.stringify(errors)).toBe(false);
  await wrangler("rollback", first);
  await send("PUT", `${S}/revoked-secrets/KEY`, {});
  await send("POST", `${S}/rollbacks`, {});
  await api(`${S}/rollback-target`);

  // Everything that tells of it.
  for (const path of [
    `${S}/settings`,
    `${S}/secrets`,
    `${S}/secrets/KEY`,
    `${S}/revoked-secrets`,
    `${S}/versions?per_page=100`,
    `${S}/versions/${first}`,
    `${S}/deployments`,
    "A/workers/services/vault",
    "A/workers/scripts",
    "A/workers/workers/vault",
    "A/workers/workers/vault/versions",
    `A/workers/workers/vault/versions/${first}?include=modules`,
    "A/secrets_key",
  ])
    expect((await api(path)).success, path).toBe(true);
  await wrangler("versions", "view", first);
  await wrangler("secret", "list");
  const length = (await host.visit("vault.localhost")).body;
  expect(Number(length)).toBeGreaterThan(CANARY.length);

  const before = await backUp();
  const rotated = await run(process.execPath, [command("rotate-key"), "--data", host.directory]);
  said.push(rotated.stdout, rotated.stderr);
  await send("PUT", `${S}/secrets`, secret("KEY", canary()));
  const after = await backUp();

  for (const form of FORMS) {
    expect(
      said.filter((text) => text.includes(form)),
      "answers",
    ).toEqual([]);
    expect(host.log.includes(form), "log").toBe(false);
    expect(host.filesWith(form), "data directory").toEqual([]);
    for (const file of [before, after])
      expect(gunzipSync(readFileSync(file)).includes(form), file).toBe(false);
  }

  // What was backed up under the old key has it with it.
  await run(process.execPath, [command("restore"), "--data", restored.directory, "--from", before]);
  await restored.start();
  expect((await restored.visit("vault.localhost")).body).toBe(length);
});

/** Secrets survive uploads and never leave. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";

const CANARY = "canary-7f3a-do-not-leak";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

const source = (round: number) => `export default {
  async fetch(request, env) {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(env.API_KEY ?? ""));
    return Response.json({ round: ${round}, length: (env.API_KEY ?? "").length,
      hash: [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("") });
  },
};
`;

describe("a secret set by deploy --secrets-file", () => {
  let project: Project;
  let first = "";
  const seen = async () => JSON.parse((await host.visit("vault.localhost")).body);

  beforeAll(async () => {
    project = new Project(host, "vault", source(1), "preview_urls = true\nworkers_dev = true");
    project.write("secrets.json", JSON.stringify({ API_KEY: CANARY }));
    first = await project.deploy(source(1), "--secrets-file", "secrets.json");
  });

  test("is read by the Worker", async () => {
    expect(await seen()).toMatchObject({ round: 1, length: CANARY.length });
  });

  test("is kept by the next deploy without it, and by an uploaded version", async () => {
    const { hash } = await seen();
    await project.deploy(source(2));
    expect(await seen()).toEqual({ round: 2, length: CANARY.length, hash });
    const third = await project.upload(source(3));
    const preview = await host.visit(`${third.slice(0, 8)}-vault.localhost`);
    expect(JSON.parse(preview.body)).toEqual({ round: 3, length: CANARY.length, hash });
  });

  test("is changed by a later file, and a rollback brings the old value back", async () => {
    const { hash } = await seen();
    project.write("secrets.json", JSON.stringify({ API_KEY: `${CANARY}-2` }));
    await project.deploy(source(4), "--secrets-file", "secrets.json");
    expect(await seen()).toMatchObject({ round: 4, length: CANARY.length + 2 });
    await project.wrangler("rollback", first);
    expect(await seen()).toEqual({ round: 1, length: CANARY.length, hash });
  });

  test("is named by secret list", async () => {
    const { stdout } = await project.wrangler("secret", "list");
    expect(JSON.parse(stdout)).toEqual([{ name: "API_KEY", type: "secret_text" }]);
  });

  test("is in no answer of the API, no line of the log and no file of the data directory", async () => {
    const answers = await Promise.all(
      [
        "A/workers/scripts/vault/settings",
        "A/workers/scripts/vault/secrets",
        "A/workers/scripts/vault/versions?per_page=100",
        `A/workers/scripts/vault/versions/${first}`,
        "A/workers/scripts/vault/deployments",
        "A/workers/services/vault",
        "A/workers/scripts",
        "A/workers/workers/vault",
        "A/workers/workers/vault/versions",
        `A/workers/workers/vault/versions/${first}?include=modules`,
      ].map(async (path) => [path, JSON.stringify(await host.api(path))] as const),
    );
    for (const [path, text] of answers) {
      expect(text, path).toContain('"success":true');
      expect(text.includes(CANARY), path).toBe(false);
    }
    expect(answers[3]?.[1]).toContain('{"name":"API_KEY","type":"secret_text"}');
    expect(host.log).not.toContain(CANARY);
    expect(host.filesWith(CANARY)).toEqual([]);
  });
});

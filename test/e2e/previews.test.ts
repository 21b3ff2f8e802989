/** Preview hosts with real wrangler: a version that is not deployed runs as it is, for whoever asks for it, and for nobody else. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deploymentsOf } from "./support/api-state.ts";
import { Project } from "./support/project.ts";
import { TailSession } from "./support/tail-session.ts";
import { ACCOUNT_ID, ROOT_TOKEN, TestHost } from "./support/test-host.ts";

/** Answers with what it finds in its environment; says it first. */
const source = (round: number) => `export default {
  async fetch(request, env) {
    console.log("round ${round}");
    if (new URL(request.url).pathname === "/send") await env.QUEUE.send("from round ${round}");
    const kept = env.NOTES && (await env.NOTES.get("note"));
    return Response.json({ round: ${round}, stage: env.STAGE, secret: env.SECRET, kept, version: env.VERSION.id });
  },
  async queue({ messages }, env) {
    await env.NOTES.put("consumed", "round ${round}: " + messages.map(({ body }) => body).join());
  },
};
`;
const config = (stage: string, kv: string) => `workers_dev = true
preview_urls = true
vars = { STAGE = "${stage}" }
kv_namespaces = [{ binding = "NOTES", id = "${kv}" }]
queues.producers = [{ binding = "QUEUE", queue = "site" }]
queues.consumers = [{ queue = "site", max_batch_timeout = 0 }]
version_metadata = { binding = "VERSION" }`;

const host = new TestHost();
let project: Project;
let live = "";
let draft = "";
const kv = { live: "", draft: "" };

const look = async (name: string) => {
  const { status, body, headers } = await host.visit(name);
  return { status, seen: status === 200 ? JSON.parse(body) : body, headers };
};
const hostOf = (label: string) => `${label}-site.localhost`;
const configure = (stage: "live" | "draft") =>
  project.write(
    "wrangler.toml",
    `name = "site"\nmain = "src/index.js"\ncompatibility_date = "2026-10-01"\n${config(stage, kv[stage])}\n`,
  );

async function namespace(title: string, note: string): Promise<string> {
  const made = await host.send("POST", "A/storage/kv/namespaces", { title });
  const { id } = made.result as { id: string };
  await host.api(`A/storage/kv/namespaces/${id}/values/note`, { method: "PUT", body: note });
  return id;
}

beforeAll(async () => {
  await host.start();
  kv.live = await namespace("live", "kept for visitors");
  kv.draft = await namespace("draft", "kept for reviewers");
  expect((await host.send("POST", "A/queues", { queue_name: "site" })).errors).toEqual([]);
  project = new Project(host, "site", source(1));
  configure("live");
  live = await project.deploy(source(1));
  configure("draft");
  draft = await project.upload(source(2), "--preview-alias", "review");
});
afterAll(() => host.dispose());

describe("a version that was never deployed", () => {
  test("runs on its own host and its alias, with its own bindings", async () => {
    const expected = { round: 2, stage: "draft", kept: "kept for reviewers", version: draft };
    for (const label of [draft.slice(0, 8), "review"]) {
      const { seen, headers } = await look(hostOf(label));
      expect(seen).toEqual(expected);
      expect(headers["x-switchback-version"]).toBe(draft);
      expect(headers["x-switchback-deployment"]).toBeUndefined();
    }
    expect((await look("site.localhost")).seen).toEqual({
      round: 1,
      stage: "live",
      kept: "kept for visitors",
      version: live,
    });
  });

  test("is no traffic: no deployment, no request of its Worker, and it takes none", async () => {
    const deployments = await deploymentsOf(host, "site");
    expect(deployments.map(({ versions }) => versions[0]?.version_id)).toEqual([live]);
    for (let n = 0; n < 20; n++) {
      expect((await look("site.localhost")).seen.round).toBe(1);
      expect((await look(hostOf("review"))).seen.round).toBe(2);
    }
    expect(await deploymentsOf(host, "site")).toEqual(deployments);
  });

  test("sends to queues, and takes nothing from them: what is deployed does", async () => {
    const consumed = async (id: string) =>
      (
        await fetch(
          `${host.url}/client/v4/accounts/${ACCOUNT_ID}/storage/kv/namespaces/${id}/values/consumed`,
          {
            headers: { authorization: `Bearer ${ROOT_TOKEN}` },
          },
        )
      ).text();
    await host.visit(hostOf("review"), "/send");
    await expect.poll(() => consumed(kv.live), { timeout: 10_000 }).toBe("round 1: from round 2");
    expect(await consumed(kv.draft)).not.toContain("from round");
  });

  test("is shown to whoever tails the Worker, as what it is", async () => {
    const session = new TailSession(project);
    await session.started(() => look(hostOf("review")));
    const seen = await session.shown(({ scriptVersion }) => scriptVersion.id === draft);
    expect(seen.logs).toMatchObject([{ message: ["round 2"] }]);
    expect(new URL(seen.event.request.url).hostname).toBe(hostOf("review"));
    await session.stop();
  });

  test("stays what it was when others come: the alias moves, its own host does not", async () => {
    const next = await project.upload(source(3), "--preview-alias", "review");
    expect((await look(hostOf("review"))).seen).toMatchObject({ round: 3, version: next });
    expect((await look(hostOf(draft.slice(0, 8)))).seen).toMatchObject({
      round: 2,
      version: draft,
    });
    expect((await look(hostOf(live.slice(0, 8)))).seen).toMatchObject({ round: 1, stage: "live" });
  });
});

describe("a preview host", () => {
  test("of nothing is a 404 that tells nothing of the Worker", async () => {
    // Eight digits are an id's; seven are too few for that, and no alias begins with a digit.
    for (const [label, kind] of [
      ["nothing", "preview_not_found"],
      ["00000000", "preview_not_found"],
      ["a000000", "preview_not_found"],
      ["0000000", "no_such_host"],
    ] as const) {
      const { status, headers } = await look(hostOf(label));
      expect([status, headers["x-switchback-error"]], label).toEqual([404, kind]);
    }
  });

  test("is switched off with wrangler's preview_urls, while visitors are served, and on again", async () => {
    configure("live");
    const file = (previews: boolean) =>
      `name = "site"\nmain = "src/index.js"\ncompatibility_date = "2026-10-01"\n` +
      config("live", kv.live).replace("preview_urls = true", `preview_urls = ${previews}`);
    project.write("wrangler.toml", file(false));
    const off = await project.deploy(source(4));
    for (const label of ["review", off.slice(0, 8)]) {
      const { status, headers } = await look(hostOf(label));
      expect([status, headers["x-switchback-error"]]).toEqual([404, "preview_disabled"]);
    }
    expect((await look("site.localhost")).seen.round).toBe(4);
    project.write("wrangler.toml", file(true));
    await project.wrangler("triggers", "deploy");
    expect((await look(hostOf(off.slice(0, 8)))).seen.round).toBe(4);
  });

  test("answers while the Worker's own host is off", async () => {
    const { errors } = await host.send("POST", "A/workers/scripts/site/subdomain", {
      enabled: false,
      previews_enabled: true,
    });
    expect(errors).toEqual([]);
    expect((await look("site.localhost")).status).toBe(404);
    expect((await look(hostOf("review"))).seen.round).toBe(3);
  });

  test("of a Worker with a custom domain is not on that domain", async () => {
    await host.send("POST", "zones", { name: "site.example" });
    const { errors } = await host.send("PUT", "A/workers/domains", {
      hostname: "www.site.example",
      service: "site",
      zone_name: "site.example",
      environment: "production",
    });
    expect(errors).toEqual([]);
    expect((await look("www.site.example")).seen.round).toBe(4);
    expect((await look("review-www.site.example")).status).toBe(404);
    expect((await look("review.www.site.example")).status).toBe(404);
  });
});

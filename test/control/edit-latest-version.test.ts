/** A version made from the latest one, through the API over the real store and the real lock. */
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { EDIT_ATTEMPTS_MAX, EDIT_PAUSE_MS, EDIT_SETTLE_MS } from "../../src/domain/limits.ts";
import { ACCOUNT, apiClient, SCRIPTS, uploadBody, type Client } from "../api/api-fixture.ts";

let client: Client;
/** Added to the clock, so that no test waits for it. */
let later = 0;
beforeAll(async () => {
  const room = { name: "Room", handlers: ["class"] };
  client = await apiClient({
    now: () => Date.now() + later,
    probe: () =>
      Promise.resolve({ ok: true, startupTimeMs: 1, handlers: ["fetch"], namedHandlers: [room] }),
  });
});

const CODE = "export class Room {} export default { fetch() { return new Response('x'); } };";
const secret = (text: string) => ({ type: "secret_text", text });
const putSecret = (name: string, key: string, text = "x") =>
  client.call("PUT", `${SCRIPTS}/${name}/secrets`, { name: key, ...secret(text) });
const patchLatest = (name: string, body: object) =>
  client.call("PATCH", `${ACCOUNT}/workers/workers/${name}/versions/latest`, body);

const latestOf = async (name: string) => {
  const listed = await client.call("GET", `${SCRIPTS}/${name}/versions`);
  const { id } = listed.result.items[0];
  return (await client.call("GET", `${SCRIPTS}/${name}/versions/${id}`)).result;
};
/** Everything of a version but what makes it another one. */
const carried = ({ resources }: { resources: Record<string, unknown> }) => {
  const { script, ...rest } = resources as { script: Record<string, unknown> };
  const { last_deployed_from: _, etag: __, ...code } = script;
  return { ...rest, script: code };
};
const modulesOf = async (id: string) =>
  (
    await env.DB.prepare(
      "SELECT position, name, type, sha256, size FROM version_modules WHERE version_id = ? ORDER BY position",
    )
      .bind(id)
      .all()
  ).results;

describe("a version made from the latest one", () => {
  it("has everything of it, and the message and tag of the change alone", async () => {
    await client.call(
      "PUT",
      `${SCRIPTS}/edit-all`,
      uploadBody(
        {
          bindings: [
            { type: "plain_text", name: "MODE", text: "live" },
            { type: "secret_text", name: "OLD", text: "kept" },
            { type: "durable_object_namespace", name: "ROOMS", class_name: "Room" },
          ],
          compatibility_flags: ["nodejs_compat"],
          limits: { cpu_ms: 40 },
          migrations: { new_tag: "v1", steps: [{ new_sqlite_classes: ["Room"] }] },
          annotations: { "workers/message": "first", "workers/tag": "one" },
        },
        { "index.js": CODE, "other.js": "export default 1;" },
      ),
    );
    const before = await latestOf("edit-all");
    expect((await putSecret("edit-all", "OLD", "other")).status).toBe(200);
    const after = await latestOf("edit-all");
    expect(after.number).toBe(before.number + 1);
    expect(carried(after)).toEqual(carried(before));
    expect(await modulesOf(after.id)).toEqual(await modulesOf(before.id));
    expect(after.annotations).toEqual({
      "workers/triggered_by": "secret",
      "workers/message": 'Updated secret "OLD"',
    });
  });

  it("is refused as not deployed when the latest one, made by a changed secret, never comes to be deployed", async () => {
    await client.call("PUT", `${SCRIPTS}/edit-wait`, uploadBody({}, { "index.js": CODE }));
    expect((await patchLatest("edit-wait", { env: { KEY: secret("one") } })).status).toBe(200);
    later += EDIT_SETTLE_MS;
    const refused = await putSecret("edit-wait", "OTHER");
    expect([refused.status, refused.errors[0]?.code]).toEqual([400, 10215]);
    // Attempts that ended sooner would blame others for a version that nobody is deploying.
    expect(EDIT_ATTEMPTS_MAX * EDIT_PAUSE_MS).toBeGreaterThan(EDIT_SETTLE_MS);
  });

  it.each(["deployed", "not deployed"])(
    "is made for each of eight changes at once, %s, none of them lost and no number left out",
    async (how) => {
      const name = `edit-race-${how.length}`;
      await client.call("PUT", `${SCRIPTS}/${name}`, uploadBody({}, { "index.js": CODE }));
      const keys = Array.from({ length: 8 }, (_, at) => `KEY_${at}`);
      const answers = await Promise.all(
        keys.map((key) =>
          how === "deployed"
            ? putSecret(name, key)
            : patchLatest(name, { env: { [key]: secret("x") } }),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual(keys.map(() => 200));
      const latest = await latestOf(name);
      expect(latest.number).toBe(1 + keys.length);
      const bound = (latest.resources.bindings as { name: string }[]).map((each) => each.name);
      expect(bound.toSorted()).toEqual(keys);
    },
    30_000,
  );

  it("is not made of a patch that would be understood only in part", async () => {
    await client.call(
      "PUT",
      `${SCRIPTS}/edit-part`,
      uploadBody({ bindings: [{ name: "OLD", ...secret("x") }] }, { "index.js": CODE }),
    );
    const refused = [
      await patchLatest("edit-part", { env: { NEW: { type: "inherit", old_name: "OLD" } } }),
      await client.call("PATCH", `${SCRIPTS}/edit-part/settings`, {
        compatibility_date: "2026-09-01",
        migrations: { new_tag: "v1", steps: [{ new_sqlite_classes: ["Room"] }] },
      }),
    ];
    for (const { success } of refused) expect(success).toBe(false);
    expect((await latestOf("edit-part")).number).toBe(1);
  });
});

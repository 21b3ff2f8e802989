/** The main job, as a team does it with an unmodified wrangler: deploy, preview, split, roll back, delete. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deploymentsOf, versionsOf } from "./support/api-state.ts";
import { Project, says } from "./support/project.ts";
import { ACCOUNT_ID, TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

const REQUESTS = 2_000;

describe("the main job with wrangler", () => {
  let project: Project;
  let first = "";
  let second = "";
  let third = "";

  const answer = async (): Promise<string> => (await host.visit(project.workersHost)).body;
  const newest = async () => (await deploymentsOf(host, "greeter"))[0];

  beforeAll(() => {
    project = new Project(host, "greeter", says("one"), "preview_urls = true\nworkers_dev = true");
  });

  test("whoami knows the token's account", async () => {
    const { output } = await project.wrangler("whoami");
    expect(output).toContain(ACCOUNT_ID);
  });

  test("a first deploy makes the Worker, its version and its deployment, and serves it", async () => {
    first = await project.deploy(says("one"));
    const visit = await host.visit(project.workersHost);
    expect(visit).toMatchObject({ status: 200, body: "one" });
    expect(visit.headers).toMatchObject({
      "x-switchback-version": first,
      "x-switchback-deployment": (await newest())?.id,
    });
    expect(await newest()).toMatchObject({
      source: "wrangler",
      versions: [{ version_id: first, percentage: 100 }],
    });
  });

  test("a second deploy makes a new version and moves all traffic to it", async () => {
    second = await project.deploy(says("two"), "--message", "second try");
    expect(second).not.toBe(first);
    expect(await answer()).toBe("two");
    expect(await newest()).toMatchObject({
      annotations: { "workers/message": "second try" },
      versions: [{ version_id: second, percentage: 100 }],
    });
    expect(await deploymentsOf(host, "greeter")).toHaveLength(2);
  });

  test("an uploaded version takes no traffic, and answers on its preview hosts", async () => {
    third = await project.upload(
      says("three"),
      "--tag",
      "v3",
      "--message",
      "The third",
      "--preview-alias",
      "staging",
    );
    expect(await answer()).toBe("two");
    expect((await newest())?.versions).toEqual([{ version_id: second, percentage: 100 }]);
    const byId = await host.visit(`${third.slice(0, 8)}-greeter.localhost`);
    expect(byId).toMatchObject({ status: 200, body: "three" });
    expect(byId.headers["x-switchback-version"]).toBe(third);
    const byAlias = await host.visit("staging-greeter.localhost");
    expect(byAlias).toMatchObject({ status: 200, body: "three" });
  });

  test("a preview alias follows the newest version that claims it", async () => {
    const fourth = await project.upload(says("four"), "--preview-alias", "staging");
    expect((await host.visit("staging-greeter.localhost")).body).toBe("four");
    expect((await host.visit(`${third.slice(0, 8)}-greeter.localhost`)).body).toBe("three");
    expect((await host.visit(`${fourth.slice(0, 8)}-greeter.localhost`)).body).toBe("four");
  });

  test("versions list and view show what was uploaded", async () => {
    const list = JSON.parse((await project.wrangler("versions", "list", "--json")).stdout);
    expect(list.map(({ number }: { number: number }) => number)).toEqual([1, 2, 3, 4]);
    const view = JSON.parse((await project.wrangler("versions", "view", third, "--json")).stdout);
    expect(view).toMatchObject({
      id: third,
      number: 3,
      metadata: { source: "wrangler", has_preview: true },
      annotations: { "workers/tag": "v3", "workers/message": "The third" },
      resources: {
        script: { handlers: ["fetch"], last_deployed_from: "wrangler" },
        script_runtime: { compatibility_date: "2026-10-01" },
      },
    });
    expect((await project.wrangler("versions", "list")).output).toContain("The third");
  });

  test("a split serves each version its share", async () => {
    await project.wrangler("versions", "deploy", `${third}@20%`, `${second}@80%`, "-y");
    expect((await newest())?.versions).toEqual(
      expect.arrayContaining([
        { version_id: third, percentage: 20 },
        { version_id: second, percentage: 80 },
      ]),
    );
    const counts = await countAnswers(project.workersHost);
    expect([...counts.keys()].sort()).toEqual(["three", "two"]);
    const sigma = Math.sqrt(REQUESTS * 0.2 * 0.8);
    expect(Math.abs((counts.get("three") ?? 0) - REQUESTS * 0.2)).toBeLessThanOrEqual(3 * sigma);
  });

  test("a visitor with a version key stays with one version of a split", async () => {
    const seen = new Map<string, Set<string>>();
    for (let round = 0; round < 5; round++) {
      await Promise.all(
        Array.from({ length: 40 }, async (_, visitor) => {
          const key = `visitor-${visitor}`;
          const { body } = await host.visit(project.workersHost, {
            headers: { "cloudflare-workers-version-key": key },
          });
          seen.set(key, (seen.get(key) ?? new Set()).add(body));
        }),
      );
    }
    expect([...seen.values()].every((answers) => answers.size === 1)).toBe(true);
    expect(new Set([...seen.values()].flatMap((answers) => [...answers])).size).toBe(2);
  });

  test("an override header chooses a version of the current deployment, and no other", async () => {
    const choose = (version: string) =>
      host.visit(project.workersHost, {
        headers: { "cloudflare-workers-version-overrides": `greeter="${version}"` },
      });
    for (let round = 0; round < 10; round++) {
      const chosen = await choose(third);
      expect(chosen.body).toBe("three");
      expect(chosen.headers["x-switchback-override"]).toBe("applied");
    }
    const outside = await choose(first);
    expect(outside.body).not.toBe("one");
    expect(outside.headers["x-switchback-override"]).toMatch(/^ignored; reason=/);
  });

  test("deployments list and status show the split and what came before", async () => {
    const status = JSON.parse((await project.wrangler("deployments", "status", "--json")).stdout);
    expect(status.id).toBe((await newest())?.id);
    const list = JSON.parse((await project.wrangler("deployments", "list", "--json")).stdout);
    expect(list).toHaveLength(3);
    const printed = (await project.wrangler("deployments", "list")).output;
    expect(printed).toContain(third);
    expect(printed).toContain("second try");
    expect((await project.wrangler("deployments", "status")).output).toContain("(20%)");
  });

  test("a rollback without an id goes back to the last version that had all traffic", async () => {
    await project.wrangler("rollback", "--message", "three is broken");
    expect([...(await countAnswers(project.workersHost, 200)).keys()]).toEqual(["two"]);
    expect(await newest()).toMatchObject({
      annotations: { "workers/message": "three is broken" },
      versions: [{ version_id: second, percentage: 100 }],
    });
  });

  test("a rollback with an id goes to that version, and leaves it as it was", async () => {
    const before = await host.api(`A/workers/scripts/greeter/versions/${first}`);
    await project.wrangler("rollback", first);
    expect([...(await countAnswers(project.workersHost, 200)).keys()]).toEqual(["one"]);
    expect((await newest())?.versions).toEqual([{ version_id: first, percentage: 100 }]);
    expect((await host.api(`A/workers/scripts/greeter/versions/${first}`)).result).toEqual(
      before.result,
    );
    expect(await deploymentsOf(host, "greeter")).toHaveLength(5);
    expect(await versionsOf(host, "greeter")).toHaveLength(4);
  });

  test("history is in one order, and no two deployments share an instant", async () => {
    const times = (await deploymentsOf(host, "greeter")).map(({ created_on }) => created_on);
    expect(times).toEqual([...new Set(times)].sort().reverse());
  });

  test("delete --force takes the Worker off its hosts and frees its name", async () => {
    await project.wrangler("delete", "--force");
    for (const name of ["greeter", "staging-greeter", `${third.slice(0, 8)}-greeter`]) {
      const visit = await host.visit(`${name}.localhost`);
      expect(visit.status, name).toBe(404);
      expect(visit.headers["x-switchback-error"], name).toBe("no_such_host");
    }
    expect((await host.api("A/workers/scripts/greeter/deployments")).status).toBe(404);
    const again = await project.deploy(says("reborn"));
    expect(await answer()).toBe("reborn");
    expect(await deploymentsOf(host, "greeter")).toHaveLength(1);
    expect((await versionsOf(host, "greeter")).map(({ id }) => id)).toEqual([again]);
  });
});

/** How often each answer came in `requests` requests, twenty at a time. */
async function countAnswers(name: string, requests = REQUESTS): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  let left = requests;
  const visitor = async () => {
    while (left-- > 0) {
      const { body } = await host.visit(name);
      counts.set(body, (counts.get(body) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: 20 }, visitor));
  return counts;
}

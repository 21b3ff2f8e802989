/** `POST …/rollbacks` over HTTP, of versions that the real wrangler deployed. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Project, says } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

test("a rollback goes where rollback-target says, twice in a row, and to a tag; visitors see each at once", async () => {
  const project = new Project(host, "back", says("one"));
  const script = `A/workers/scripts/${project.name}`;
  const one = await project.deploy(says("one"), "--tag", "first");
  const two = await project.deploy(says("two"));
  const three = await project.deploy(says("three"));
  const target = async () => (await host.api(`${script}/rollback-target`)).result;
  const serves = async () => (await host.visit(project.workersHost)).body;

  expect(await target()).toMatchObject({ version_id: two, number: 2, refusals: [] });
  const first = await host.send("POST", `${script}/rollbacks`, { message: "three is broken" });
  expect(first.result).toMatchObject({
    versions: [{ version_id: two, percentage: 100 }],
    annotations: {
      "workers/triggered_by": "rollback",
      "workers/rollback_from": three,
      "workers/message": "three is broken",
    },
    receipt: { sequence: 4 },
  });
  expect(await serves()).toBe("two");

  expect(await target()).toMatchObject({ version_id: one, tag: "first" });
  const second = await host.send("POST", `${script}/rollbacks`, { target: "previous" });
  expect(second.result.versions).toMatchObject([{ version_id: one }]);
  expect(await serves()).toBe("one");

  const ended = await host.send("POST", `${script}/rollbacks`, {});
  expect(ended).toMatchObject({ status: 404, errors: [{ code: 130058 }] });
  expect(await serves()).toBe("one");

  await project.wrangler("versions", "deploy", `${three}@100%`, "-y");
  expect(await serves()).toBe("three");
  const tagged = await host.send("POST", `${script}/rollbacks`, { target: "first" });
  expect(tagged.result.versions).toMatchObject([{ version_id: one }]);
  expect(await serves()).toBe("one");
  const listed = await project.wrangler("deployments", "list", "--json");
  expect(JSON.parse(listed.stdout).at(-1)).toMatchObject({
    id: tagged.result.id,
    versions: [{ version_id: one, percentage: 100 }],
  });
});

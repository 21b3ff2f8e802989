/** `wrangler secret` and `wrangler versions secret`: what they refuse, in words that wrangler knows, and what they change. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

const reading = (round: number) =>
  `export default { fetch(request, env) { return new Response(["${round}", env.KEY, env.OTHER].join()); } };\n`;

let project: Project;
const seen = async () => (await host.visit(project.workersHost)).body;
const stateOf = async () => ({
  deployed: (await host.api(`A/workers/scripts/${project.name}/deployments`)).result.deployments[0],
  versions: (await host.api(`A/workers/scripts/${project.name}/versions`)).result.items.length,
  seen: await seen(),
});
const put = (text: string, ...args: string[]) =>
  project.write("text", text).wranglerWithInput("text", ...args);

beforeAll(async () => {
  project = new Project(host, "secretive", reading(1));
  await project.deploy(reading(1));
});

/** With the sentence that wrangler has for 10215, and nothing changed. */
async function areRefusedAsNotDeployed() {
  const before = await stateOf();
  project.write("bulk.json", JSON.stringify({ KEY: "no" }));
  const runs = [
    await put("no", "secret", "put", "KEY"),
    await project.tryWrangler("secret", "bulk", "bulk.json"),
    await project.tryWrangler("secret", "delete", "KEY"),
  ];
  for (const { code } of runs) expect(code).toBe(1);
  const said = runs.map(({ output }) => output.replaceAll(/\s+/g, " "));
  expect(said[0]).toContain("the latest version of your Worker isn't");
  expect(said[0]).toContain("wrangler versions secret put");
  expect(said[2]).toContain("[code: 10215]");
  expect(await stateOf()).toEqual(before);
}

describe("wrangler's commands for secrets", () => {
  test("set, change and take away what the Worker reads", async () => {
    expect((await put("one", "secret", "put", "KEY")).code).toBe(0);
    expect(await seen()).toBe("1,one,");
    project.write("bulk.json", JSON.stringify({ KEY: null, OTHER: "two" }));
    await project.wrangler("secret", "bulk", "bulk.json");
    expect(await seen()).toBe("1,,two");
    const gone = await project.tryWrangler("secret", "delete", "KEY");
    expect([gone.code, gone.output]).toEqual([1, expect.stringContaining("[code: 10056]")]);
    expect(await seen()).toBe("1,,two");
  });

  test("refuse to deploy more than was changed: right after versions secret put, and while traffic is split", async () => {
    expect((await put("later", "versions", "secret", "put", "KEY")).code).toBe(0);
    await areRefusedAsNotDeployed();
    const latest = await project.upload(reading(2));
    const serving = (await stateOf()).deployed.versions[0].version_id;
    await project.wrangler("versions", "deploy", `${serving}@50%`, `${latest}@50%`, "-y");
    const { code, output } = await put("no", "secret", "put", "KEY");
    expect([code, output.replaceAll(/\s+/g, " ")]).toEqual([
      1,
      expect.stringContaining("the latest version of your Worker isn't"),
    ]);
    await project.wrangler("versions", "deploy", `${latest}@100%`, "-y");
    expect(await seen()).toBe("2,later,two");
  });

  test("say that a Worker has no versions", async () => {
    await host.send("POST", "A/workers/workers", { name: "hollow" });
    const run = await put("x", "versions", "secret", "put", "KEY", "--name", "hollow");
    expect(run.code).toBe(1);
    expect(run.output).toMatch(/no (uploaded )?versions/i);
  });
});

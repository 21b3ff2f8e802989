/** The whole course of a secret with the real wrangler: a draft of a new Worker, versions that serve, versions that wait. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

describe("wrangler secret", () => {
  const reading = `export default { fetch(request, env) { return new Response([env.KEY, env.OTHER].join(",")); } };\n`;

  test("makes a draft of a new Worker, and then versions that serve at once", async () => {
    const project = new Project(host, "sealed", reading);
    const withText = async (text: string, ...args: string[]) => {
      project.write("text", text);
      const run = await project.wranglerWithInput("text", ...args);
      expect(run.code, run.output).toBe(0);
      return run;
    };
    await withText("zero", "secret", "put", "KEY");
    await project.deploy(reading);
    expect((await host.visit(project.workersHost)).body).toBe("zero,");
    await withText("one", "secret", "put", "KEY");
    expect((await host.visit(project.workersHost)).body).toBe("one,");
    project.write("bulk.json", JSON.stringify({ KEY: "two", OTHER: "three" }));
    await project.wrangler("secret", "bulk", "bulk.json");
    expect((await host.visit(project.workersHost)).body).toBe("two,three");
    await project.wrangler("secret", "delete", "OTHER");
    expect((await host.visit(project.workersHost)).body).toBe("two,");
    const listed = await project.wrangler("secret", "list");
    expect(JSON.parse(listed.stdout)).toEqual([{ name: "KEY", type: "secret_text" }]);

    await withText("four", "versions", "secret", "put", "KEY");
    expect((await host.visit(project.workersHost)).body).toBe("two,");
    project.write("text", "five");
    const refused = await project.wranglerWithInput("text", "secret", "put", "KEY");
    expect(refused.code).not.toBe(0);
    expect(refused.output.replaceAll(/\s+/g, " ")).toMatch(
      /latest version (of your Worker )?isn't/,
    );
    await project.wrangler("versions", "secret", "bulk", "bulk.json");
    await project.wrangler("versions", "secret", "delete", "OTHER");
    const latest = await project.wrangler("versions", "secret", "list", "--latest-version");
    expect(latest.output).toContain("KEY");
    expect(latest.output).not.toContain("OTHER");
  });
});

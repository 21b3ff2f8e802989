/** What a wrangler user reads when something is refused; and that nothing has changed then. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { stateOf } from "./support/api-state.ts";
import { Project, says } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";
import { wrangler, type WranglerRun } from "./support/wrangler.ts";

const host = new TestHost();
const UNKNOWN = "00000000-0000-4000-8000-000000000000";
let project: Project;
let version = "";
let foreign = "";

beforeAll(async () => {
  await host.start();
  // Nothing is bundled, so that what is wrong with the code is for the server to find.
  project = new Project(host, "steady", says("steady"), "no_bundle = true");
  version = await project.deploy(says("steady"));
  const other = new Project(host, "other", says("other"));
  foreign = await other.deploy(says("other"));
});
afterAll(() => host.dispose());

/** Runs a command that has to be refused, and sees to it that the Worker is as before. */
async function refused(run: () => Promise<WranglerRun>): Promise<string> {
  const before = await stateOf(host, "steady");
  const { code, output } = await run();
  expect(code, output).toBe(1);
  expect(output).not.toContain("malformed response");
  expect(output).not.toMatch(/internal error/i);
  expect(await stateOf(host, "steady")).toEqual(before);
  expect((await host.visit("steady.localhost")).body).toBe("steady");
  project.source(says("steady"));
  return output;
}

describe("wrangler exits 1, says why, and nothing has changed, for", () => {
  test("a wrong token", async () => {
    const output = await refused(() =>
      wrangler(host, project.directory, ["deploy"], { CLOUDFLARE_API_TOKEN: "sbk_wrong" }),
    );
    expect(output).toContain("Authentication error [code: 10000]");
  });

  test("another account", async () => {
    const output = await refused(() =>
      wrangler(host, project.directory, ["deploy"], { CLOUDFLARE_ACCOUNT_ID: "abcdef" }),
    );
    expect(output).toContain("Authentication error [code: 10000]");
  });

  test("a Worker that is not there", async () => {
    const rollback = await refused(() => project.tryWrangler("rollback", "--name", "nobody"));
    expect(rollback).toContain("This Worker does not exist on your account. [code: 10007]");
    const fresh = new Project(host, "never-deployed", says("x"));
    const upload = await refused(() => fresh.tryWrangler("versions", "upload"));
    expect(upload).toMatch(/does not yet exist/);
  });

  test("a syntax error, with the line of code", async () => {
    // wrangler parses the code itself; this is a mistake that only the runtime sees.
    project.source("export default {\n  fetch: () => new Response(/(/.source),\n};\n");
    const output = await refused(() => project.tryWrangler("deploy"));
    expect(output).toContain("[code: 10021]");
    expect(output).toContain("SyntaxError");
    expect(output).toContain("index.js:2");
  });

  test("code that throws while it starts, with its error and stack", async () => {
    project.source(
      "function prepare() {\n  throw new TypeError('no config today');\n}\nprepare();\nexport default { fetch() {} };\n",
    );
    for (const command of [["deploy"], ["versions", "upload"]]) {
      const output = await refused(() => project.tryWrangler(...command));
      expect(output).toContain("[code: 10021]");
      expect(output).toContain("TypeError: no config today");
      expect(output).toMatch(
        /index\.js:2:\d+ in prepare|at prepare \(index\.js:2:\d+\)|index\.js:2/,
      );
      project.source(
        "function prepare() {\n  throw new TypeError('no config today');\n}\nprepare();\nexport default { fetch() {} };\n",
      );
    }
  });

  test("code without any handler", async () => {
    project.source("export default {};\n");
    const output = await refused(() => project.tryWrangler("deploy"));
    expect(output).toContain("[code: 10068]");
  });

  test("a version of another Worker", async () => {
    const output = await refused(() => project.tryWrangler("versions", "deploy", foreign, "-y"));
    expect(output).toContain("[code: 100146]");
    const back = await refused(() => project.tryWrangler("rollback", foreign));
    expect(back).toContain("[code: 100146]");
  });

  test("shares that sum to 99", async () => {
    const second = await project.upload(says("second"));
    const output = await refused(() =>
      project.tryWrangler("versions", "deploy", `${version}@50`, `${second}@49`, "-y"),
    );
    expect(output).toMatch(/99/);
  });

  test("a rollback to a version that is not there", async () => {
    const output = await refused(() => project.tryWrangler("rollback", UNKNOWN));
    expect(output).toContain(
      "The requested Worker version could not be found, please check the ID being passed and try again. [code: 100146]",
    );
  });

  test("a compatibility date that the runtime does not know yet", async () => {
    const future = new Project(host, "steady", says("future"), "no_bundle = true");
    const output = await refused(() =>
      future.tryWrangler("deploy", "--compatibility-date", "2031-01-01"),
    );
    expect(output).toContain("2031-01-01");
  });

  test("something that this release does not do yet", async () => {
    const output = await refused(() => project.tryWrangler("workflows", "list"));
    expect(output).toMatch(/not supported by this Switchback yet/);
  });
});

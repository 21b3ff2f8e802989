/** Going back over changed secrets: with a terminal somebody is asked, without one wrangler confirms by itself. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { deploymentsOf } from "./support/api-state.ts";
import { RuledWorker } from "./support/ruled-worker.ts";
import { inTerminal, type Answers } from "./support/terminal.ts";
import { TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

const reading = `export default { fetch(request, env) { return new Response([env.API_KEY, env.DB_URL].join()); } };\n`;
const secret = (name: string, text: string) => ({ type: "secret_text", name, text });

const MESSAGE: Answers[number] = [/optional message for this rollback/, "the new key is wrong\r"];
const CONFIRM: Answers[number] = [/want to deploy this Worker Version to 100% of traffic/, "y"];
const secretsAnswered = (keys: string): Answers[number] => [
  /following secrets have changed since version [\s\S]*\* API_KEY\s[\s\S]*\* DB_URL/,
  keys,
];

let worker: RuledWorker;
let one = "";
let count = 0;

/** Serves `new,two`; the version `one` has other values of both. */
beforeEach(async () => {
  count += 1;
  worker = new RuledWorker(host, `keys-${count}`);
  one = await worker.put({
    source: reading,
    bindings: [secret("API_KEY", "old"), secret("DB_URL", "one")],
  });
  await worker.put({
    source: reading,
    bindings: [secret("API_KEY", "new"), secret("DB_URL", "two")],
  });
  expect(await worker.serves()).toBe("new,two");
});

describe("wrangler rollback in a terminal", () => {
  test("names the secrets, and goes back once that is confirmed", async () => {
    const answers = [MESSAGE, CONFIRM, secretsAnswered("y")];
    const run = await inTerminal(worker.project, ["rollback", one], answers);
    expect(run, run.output).toMatchObject({ code: 0, asked: 3 });
    expect(await worker.serves()).toBe("old,one");
    const [current] = await deploymentsOf(host, worker.name);
    expect(current).toMatchObject({
      versions: [{ version_id: one, percentage: 100 }],
      annotations: {
        "workers/message": "the new key is wrong",
        "workers/triggered_by": "rollback",
      },
    });
  });

  test("changes nothing if that is declined", async () => {
    const before = await worker.state();
    const answers = [MESSAGE, CONFIRM, secretsAnswered("n")];
    const run = await inTerminal(worker.project, ["rollback", one], answers);
    // As with every question of wrangler's that is declined.
    expect(run, run.output).toMatchObject({ code: 0, asked: 3 });
    expect(run.output).toContain("Aborting rollback");
    expect(await worker.state()).toEqual(before);
  });

  test("does not ask about secrets where nothing could be forced", async () => {
    await host.api(worker.path("revoked-secrets/API_KEY"), { method: "PUT" });
    const before = await worker.state();
    const answers = [MESSAGE, CONFIRM, secretsAnswered("y")];
    const run = await inTerminal(worker.project, ["rollback", one], answers);
    expect(run, run.output).toMatchObject({ code: 1, asked: 2 });
    expect(run.output).toContain("[code: 130054]");
    expect(await worker.state()).toEqual(before);
  });
});

describe("wrangler rollback without a terminal", () => {
  test("confirms by itself, and goes back", async () => {
    const run = await worker.project.wrangler("rollback", one);
    expect(run.output).toMatch(/secrets have changed[\s\S]*API_KEY[\s\S]*DB_URL/);
    expect(await worker.serves()).toBe("old,one");
  });

  test("does not get past what cannot be forced", async () => {
    await host.api(worker.path("revoked-secrets/API_KEY"), { method: "PUT" });
    const before = await worker.state();
    const run = await worker.project.tryWrangler("rollback", one);
    expect(run.code, run.output).toBe(1);
    expect(run.output).toContain("[code: 130054]");
    expect(await worker.state()).toEqual(before);
  });
});

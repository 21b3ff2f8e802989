/** The key under which secrets are stored is changed while the host runs: nobody notices, and the old key is gone afterwards. */
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Project } from "./support/project.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";
import { TestHost } from "./support/test-host.ts";

const COMMAND = fileURLToPath(new URL("../../src/host/rotate-key-main.ts", import.meta.url));

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

const source = `export default { fetch(request, env) { return new Response(env.KEY); } };\n`;
const keysOf = (): string[] =>
  (
    JSON.parse(readFileSync(join(host.directory, "installation.json"), "utf8")) as {
      secrets_key: string;
    }
  ).secrets_key.split(",");
const keyIdsInUse = () =>
  host
    .ledger(
      "SELECT DISTINCT sealed_secrets ->> '$.keyId' AS id FROM versions WHERE sealed_secrets IS NOT NULL",
    )
    .map(({ id }) => id);

const rotate = (data = host.directory): Promise<{ code: number; output: string }> =>
  new Promise((done) => {
    execFile(process.execPath, [COMMAND, "--data", data], (error, stdout, stderr) =>
      done({ code: Number(error?.code ?? 0), output: stdout + stderr }),
    );
  });

test("npm run rotate-key under traffic and uploads: no read and no upload fails, and the old key is in no file", async () => {
  const project = new Project(host, "vault", source);
  project.write("secrets.json", JSON.stringify({ KEY: "value" }));
  const first = await project.deploy(source, "--secrets-file", "secrets.json");
  const old = keysOf()[0]?.split(":")[1] ?? "";
  let isOver = false;
  const failures: string[] = [];
  let reads = 0;
  let changes = 0;
  const reading = (async () => {
    while (!isOver) {
      const { status, body } = await host.visit("vault.localhost");
      if (status !== 200 || body !== "value") failures.push(`${status} ${body}`);
      reads += 1;
      await sleep(5);
    }
  })();
  const changing = (async () => {
    while (!isOver) {
      const body = { name: "OTHER", text: `n${changes}`, type: "secret_text" };
      const { success, errors } = await host.send("PUT", "A/workers/scripts/vault/secrets", body);
      if (!success) failures.push(JSON.stringify(errors));
      changes += 1;
    }
  })();
  const { code, output } = await rotate();
  isOver = true;
  await Promise.all([reading, changing]);
  expect(code, output).toBe(0);
  expect(output).toContain("k2");
  expect(failures).toEqual([]);
  expect(reads).toBeGreaterThan(50);
  expect(changes).toBeGreaterThan(2);
  expect(keysOf().map((key) => key.split(":")[0])).toEqual(["k2"]);
  expect(keyIdsInUse()).toEqual(["k2"]);
  expect(old).toHaveLength(44);
  expect(host.filesWith(old)).toEqual([]);

  // What was sealed under the old key opens in a process that never knew it.
  await host.killEverything();
  await host.start();
  await project.wrangler("rollback", first);
  expect((await host.visit("vault.localhost")).body).toBe("value");
});

test("interrupted, it is finished by running it again", async () => {
  const before = keysOf();
  const halfWay = execFile(process.execPath, [COMMAND, "--data", host.directory]);
  const ended = new Promise((done) => halfWay.once("exit", done));
  while (keysOf().length < 2) await sleep(1);
  halfWay.kill("SIGKILL");
  await ended;
  const { code, output } = await rotate();
  expect(code, output).toBe(0);
  expect(keysOf()).toHaveLength(1);
  expect(keysOf()).not.toEqual(before);
  expect(keyIdsInUse()).toEqual(["k3"]);
  expect((await host.visit("vault.localhost")).body).toBe("value");
});

test("of two at once, one is refused and nothing is lost", async () => {
  const answers = await Promise.all([rotate(), rotate()]);
  expect(answers.filter(({ code }) => code === 0)).toHaveLength(1);
  const refused = answers.find(({ code }) => code === 1);
  expect(refused?.output).toContain("Another npm run rotate-key of");
  expect(keysOf().map((key) => key.split(":")[0])).toEqual(["k4"]);
  expect(keyIdsInUse()).toEqual(["k4"]);
  expect((await host.visit("vault.localhost")).body).toBe("value");
});

test("where no host is, it says so and makes no file", async () => {
  const elsewhere = temporaryDirectory();
  const { code, output } = await rotate(elsewhere);
  expect(code).toBe(1);
  expect(output).toContain(`No Switchback runs on ${elsewhere}.`);
  expect(readdirSync(elsewhere)).toEqual([]);
});

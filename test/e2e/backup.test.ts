/** A backup of a running host is one instant of it, and a host that starts on it is that host again. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deploymentsOf, type DeploymentState } from "./support/api-state.ts";
import { Project, says } from "./support/project.ts";
import { addVersion, putWorker } from "./support/small-worker.ts";
import { temporaryDirectory } from "./support/temporary-directory.ts";
import { TestHost } from "./support/test-host.ts";

const run = promisify(execFile);
const command = (name: string) =>
  fileURLToPath(new URL(`../../src/host/${name}-main.ts`, import.meta.url));

const hosts: TestHost[] = [];
afterAll(() => Promise.all(hosts.map((host) => host.dispose())));

function newHost(): TestHost {
  const host = new TestHost();
  hosts.push(host);
  return host;
}

/** As an operator does it, while the host runs. Gives the file and what was printed. */
async function backUp(host: TestHost): Promise<{ file: string; printed: string }> {
  const file = join(temporaryDirectory(), "backup.tar.gz");
  const flags = ["--data", host.directory, "--out", file];
  const { stdout } = await run(process.execPath, [command("backup"), ...flags]);
  return { file, printed: stdout };
}

/** A host over what was backed up, in another directory and on another port; not started. */
async function restored(file: string): Promise<TestHost> {
  const host = newHost();
  await run(process.execPath, [command("restore"), "--data", host.directory, "--from", file]);
  return host;
}

const deploy = (host: TestHost, worker: string, version: string, message = "") =>
  split(host, worker, { [version]: 100 }, message);

const split = (host: TestHost, worker: string, shares: Record<string, number>, message = "") =>
  host.send("POST", `A/workers/scripts/${worker}/deployments`, {
    strategy: "percentage",
    versions: Object.entries(shares).map(([version_id, percentage]) => ({
      version_id,
      percentage,
    })),
    ...(message === "" ? {} : { annotations: { "workers/message": message } }),
  });

async function wholeHistory(host: TestHost, worker: string): Promise<DeploymentState[]> {
  const pages: DeploymentState[][] = [];
  for (let page = 1; ; page++) {
    const { result } = await host.api(
      `A/workers/scripts/${worker}/deployments?per_page=100&page=${page}`,
    );
    if (result.deployments.length === 0) return pages.flat();
    pages.push(result.deployments);
  }
}

describe("a backup under a load of deployments and visits", () => {
  const CLIENTS = 3;
  const ROUNDS = 3;
  const WORKER = "busy";
  const host = newHost();
  const acknowledged: string[] = [];
  const failed: string[] = [];
  const backups: { file: string; before: string[]; printed: string }[] = [];

  beforeAll(async () => {
    await host.start();
    const old = await putWorker(host, WORKER, says("a"));
    const next = await addVersion(host, WORKER, says("b"));
    let going = true;
    const client = async () => {
      for (let turn = 0; going; turn++) {
        // None of them is a rollback, which would overtake the others.
        const made = await split(host, WORKER, { [old]: 1 + (turn % 9), [next]: 99 - (turn % 9) });
        if (made.status === 200) acknowledged.push(made.result.id);
        else failed.push(JSON.stringify(made.errors));
      }
    };
    const visitor = async () => {
      while (going) {
        const { status, body } = await host.visit(`${WORKER}.localhost`);
        if (status !== 200) failed.push(body);
      }
    };
    /** New Workers, whose locks and versions are born while backups are taken. */
    const founder = async () => {
      for (let n = 0; going; n++) await putWorker(host, `born-${n}`, says(`born ${n}`));
    };
    const all = [...Array.from({ length: CLIENTS }, client), visitor(), founder()];
    for (let round = 0; round < ROUNDS; round++) {
      const goal = acknowledged.length + 10;
      while (acknowledged.length < goal) await new Promise((done) => setTimeout(done, 5));
      const before = [...acknowledged];
      backups.push({ ...(await backUp(host)), before });
    }
    going = false;
    await Promise.all(all);
  });

  test("is taken without a call or a visit that fails", () => {
    expect(failed).toEqual([]);
    for (const { printed } of backups) {
      expect(printed).toMatch(/runtime paused for [\d.]+ ms/);
      if (process.env["SWITCHBACK_E2E_LOG"]) process.stderr.write(printed);
    }
  });

  test("has every deployment that was acknowledged before it began, in an unbroken history", async () => {
    const history = await wholeHistory(host, WORKER);
    const workers = (await host.api("A/workers/scripts")).result as { id: string }[];
    await host.stop();
    for (const { file, before } of backups) {
      const again = await restored(file);
      await again.start();
      // Whoever reads first finds what history says, whatever was under way.
      const visit = await again.visit(`${WORKER}.localhost`);
      const kept = await wholeHistory(again, WORKER);
      expect(visit.headers["x-switchback-deployment"]).toBe(kept[0]?.id);
      expect(kept[0]?.versions.map(({ version_id }) => version_id)).toContain(
        visit.headers["x-switchback-version"],
      );
      // What it has is how the history began, and what came later is not in it.
      expect(kept).toEqual(history.slice(-kept.length));
      const ids = new Set(kept.map(({ id }) => id));
      expect(before.filter((id) => !ids.has(id))).toEqual([]);
      // Every Worker that it knows can be served and deployed.
      const known = (await again.api("A/workers/scripts")).result as { id: string }[];
      expect(workers.map(({ id }) => id)).toEqual(
        expect.arrayContaining(known.map(({ id }) => id)),
      );
      const names = known.map(({ id }) => id).filter((name) => name.startsWith("born-"));
      for (const name of names.slice(-5)) {
        const [last] = await deploymentsOf(again, name);
        const { status, body, headers } = await again.visit(`${name}.localhost`);
        if (last === undefined) continue;
        const has = (await again.api(`A/workers/scripts/${name}/subdomain`)).result.enabled;
        if (!has) continue;
        expect([status, body]).toEqual([200, `born ${name.slice("born-".length)}`]);
        expect(headers["x-switchback-deployment"]).toBe(last.id);
      }
      const next = await deploy(again, WORKER, kept.at(-1)?.versions[0]?.version_id ?? "");
      expect(next.status).toBe(200);
      expect((await wholeHistory(again, WORKER)).slice(1)).toEqual(kept);
      await again.stop();
    }
  });
});

describe("a host that starts on a backup", () => {
  const host = newHost();
  let again: TestHost;
  /** Everything that the API says of the installation. */
  const everything = async (of: TestHost): Promise<Record<string, unknown>> => {
    const said: Record<string, unknown> = {};
    const ask = async (path: string) => {
      const { status, result } = await of.api(path);
      expect([path, status]).toEqual([path, 200]);
      // Only the port is another.
      said[path] = JSON.parse(
        JSON.stringify(result).replaceAll(`localhost:${of.port}`, "localhost"),
      );
      return result;
    };
    await ask("/user/tokens/verify");
    await ask("/accounts");
    await ask("A/workers/subdomain");
    await ask("A/workers/domains");
    for (const zone of await ask("/zones?per_page=50"))
      await ask(`/zones/${zone.id}/workers/routes`);
    for (const { id: name } of await ask("A/workers/scripts")) {
      const script = `A/workers/scripts/${name}`;
      for (const part of ["settings", "secrets", "routes", "subdomain", "lease"]) {
        await ask(`${script}/${part}`);
      }
      for (const { id } of (await ask(`${script}/versions?per_page=100`)).items) {
        await ask(`${script}/versions/${id}`);
        await ask(`A/workers/workers/${name}/versions/${id}?include=modules`);
      }
      for (const { id } of (await ask(`${script}/deployments?per_page=100`)).deployments) {
        await ask(`${script}/deployments/${id}`);
        await ask(`${script}/deployments/${id}/receipt`);
      }
    }
    return said;
  };
  const source = (round: number) => `import text from "./notice.txt";
export default { fetch(request, env) {
  return Response.json({ round: ${round}, key: env.API_KEY, text, path: new URL(request.url).pathname });
} };\n`;
  const ADDRESSES = [
    ["shop.example", "/cart/1"],
    ["checkout.example", "/pay"],
    ["shop.localhost", "/"],
  ] as const;
  const traffic = (of: TestHost) =>
    Promise.all(
      ADDRESSES.map(async ([name, path]) => {
        const { status, body, headers } = await of.visit(name, path);
        return [status, body, headers["x-switchback-deployment"], headers["x-switchback-sequence"]];
      }),
    );

  beforeAll(async () => {
    await host.start();
    const project = new Project(
      host,
      "shop",
      source(1),
      `workers_dev = true
preview_urls = true
routes = [
  { pattern = "shop.example/cart/*", zone_name = "shop.example" },
  { pattern = "checkout.example", custom_domain = true },
]
rules = [{ type = "Text", globs = ["**/*.txt"] }]`,
    );
    project.write("src/notice.txt", "module bytes\n");
    project.write("secrets.json", JSON.stringify({ API_KEY: "a stored secret" }));
    const first = await project.deploy(source(1), "--secrets-file", "secrets.json");
    await project.deploy(source(2), "--message", "second");
    await project.upload(source(3), "--tag", "not-deployed");
    await project.wrangler("rollback", first, "--message", "back");
    await putWorker(host, "other", says("other"));
    await host.send("PUT", "A/workers/scripts/shop/lease", { lease_ms: 50 });
    // Twice at once: neither disturbs the other.
    const [one] = await Promise.all([backUp(host), backUp(host)]);
    again = await restored(one.file);
    await again.start();
  });

  test("says the same of every version, deployment, route, domain, secret and setting", async () => {
    const [before, after] = [await everything(host), await everything(again)];
    expect(Object.keys(before).length).toBeGreaterThan(30);
    expect(after).toEqual(before);
  });

  test("serves the same at every address, secrets and module bytes included", async () => {
    const before = await traffic(host);
    expect(before.map(([status]) => status)).toEqual([200, 200, 200]);
    expect(String(before[0]?.[1])).toContain('"key":"a stored secret"');
    expect(await traffic(again)).toEqual(before);
  });

  test("goes on by itself: a deployment in one is nothing to the other", async () => {
    const before = await traffic(host);
    const [, second] = await deploymentsOf(again, "shop");
    const made = await deploy(again, "shop", second?.versions[0]?.version_id ?? "");
    expect(made.status).toBe(200);
    for (const [, body] of await traffic(again)) expect(JSON.parse(String(body)).round).toBe(2);
    expect(await traffic(host)).toEqual(before);
  });

  test("starts on a backup of the stopped host, too", async () => {
    await host.stop();
    const { file, printed } = await backUp(host);
    expect(printed).toContain("no runtime ran");
    const third = await restored(file);
    await third.start();
    await host.start();
    expect(await everything(third)).toEqual(await everything(host));
    await third.dispose();
  });
});

describe("a backup taken while a deployment is held at one instant", () => {
  // From here on the deployment may have been seen, so it has to be there.
  const visibleFrom = new Set(["T4", "S5"]);

  test.each(["T1", "S2", "S3", "T4", "S5"])("%s", async (point) => {
    const host = newHost();
    await host.start();
    const old = await putWorker(host, "held", says("old"));
    const next = await addVersion(host, "held", says("next"));
    const before = await deploymentsOf(host, "held");
    await host.stop();
    await host.start({ env: { SWITCHBACK_FAULT_POINT: point } });
    const lost = deploy(host, "held", next, "the held one").catch(() => "no answer");
    await host.logged(/ fault_point .*/);
    const running = await backUp(host);
    await host.killEverything();
    expect(await lost).toBe("no answer");
    // What a killed host leaves is a directory like any other.
    const killed = point === "S3" ? [await backUp(host)] : [];

    for (const { file } of [running, ...killed]) {
      const again = await restored(file);
      await again.start();
      const early = (await again.visit("held.localhost")).body;
      if (visibleFrom.has(point)) expect(early).toBe("next");
      const history = await deploymentsOf(again, "held");
      const visit = await again.visit("held.localhost");
      const happened = history.length === before.length + 1;
      expect(history.slice(happened ? 1 : 0)).toEqual(before);
      expect(visit.headers["x-switchback-deployment"]).toBe(history[0]?.id);
      expect(visit.headers["x-switchback-version"]).toBe(happened ? next : old);
      expect(visit.body).toBe(happened ? "next" : "old");
      if (early === "next") expect(happened).toBe(true);
      // The lock is not stuck.
      expect((await deploy(again, "held", old, "afterwards")).status).toBe(200);
      expect((await again.visit("held.localhost")).body).toBe("old");
      await again.dispose();
    }
  });
});

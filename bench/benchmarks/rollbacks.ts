/** Lists, rollbacks and refused rollbacks of a Worker with few versions and of one with thousands. */
import type { Lab } from "../measure/lab.ts";
import { ratiosOf, shuffled, spreadOf } from "../measure/statistics.ts";
import type { Row, Target } from "../measure/table.ts";
import { timed } from "../measure/timed.ts";
import type { ApiClient } from "../servers/api-client.ts";
import { deploy, HELLO_CODE } from "../servers/deployed-worker.ts";
import { seedDeployments } from "../servers/seed-deployments.ts";
import { seedVersions } from "../servers/seed-versions.ts";

const SMALL = { versions: 10, deployments: 10 };
const LARGE = { versions: 10_000, deployments: 100_000 };
/** A long past may cost this much more than a short one. */
const LARGE_MAX: Target = { bound: "at most", value: 1.5 };

interface Listed {
  readonly items: readonly { readonly id: string; readonly number: number }[];
}

const script = (name: string) => `/workers/scripts/${name}`;

/** Each gives the time of the one call that counts, in milliseconds. */
const ACTS: Readonly<
  Record<string, (api: ApiClient, name: string, newest: string) => Promise<number>>
> = {
  "page of versions": (api, name) => time(api.call("GET", `${script(name)}/versions`)),
  "deployable versions": (api, name) =>
    time(api.call("GET", `${script(name)}/versions?deployable=true`)),
  "page of deployments": (api, name) => time(api.call("GET", `${script(name)}/deployments`)),
  "rollback to previous": async (api, name, newest) => {
    await deploy(api, name, newest, "forward");
    return time(api.call("POST", `${script(name)}/rollbacks`, { target: "previous" }));
  },
  "refused rollback": async (api, name, newest) => {
    await deploy(api, name, newest, "forward");
    await api.call("PUT", `${script(name)}/deployable-versions`, { max: 1 });
    const body = { target: "previous" };
    const ms = await time(
      api.call("POST", `${script(name)}/rollbacks`, body).then(
        () => Promise.reject(new Error("The rollback was not refused.")),
        (error: unknown) => {
          if (!String(error).includes("130052")) throw error;
        },
      ),
    );
    await api.call("PUT", `${script(name)}/deployable-versions`, { max: null });
    return ms;
  },
};

export async function benchmarkRollbacks(lab: Lab): Promise<Row[]> {
  const directory = lab.directory();
  const first = await lab.host("switchback", directory);
  const subjects = [
    { name: "small", ...SMALL, newest: "" },
    { name: "large", ...LARGE, newest: "" },
  ];
  const setup = lab.api(first);
  const kv = await setup.call<{ id: string }>("POST", "/storage/kv/namespaces", { title: "bench" });
  for (const { name } of subjects)
    await setup.upload("PUT", script(name), HELLO_CODE, {
      bindings: [{ type: "kv_namespace", name: "KV", namespace_id: kv.id }],
    });
  await first.stop();
  for (const { name, versions, deployments } of subjects) {
    seedDeployments(directory, name, deployments);
    seedVersions(directory, name, versions);
  }
  const api = lab.api(await lab.host("switchback", directory));
  for (const subject of subjects) {
    const { items } = await api.call<Listed>("GET", `${script(subject.name)}/versions`);
    if (items[0]?.number !== subject.versions) throw new Error("The versions were not seeded.");
    subject.newest = items[0].id;
  }
  const rows: Row[] = [];
  for (const [what, act] of Object.entries(ACTS)) {
    const medians = new Map(subjects.map(({ name }) => [name, [] as number[]]));
    // Round 0 is for the compilers and the locks.
    for (let round = 0; round <= (lab.quick ? 2 : 12); round++) {
      const times = new Map(subjects.map(({ name }) => [name, [] as number[]]));
      for (let i = 0; i < (lab.quick ? 3 : 20); i++)
        for (const { name, newest } of shuffled(subjects))
          times.get(name)?.push(await act(api, name, newest));
      if (round > 0) for (const [name, of] of times) medians.get(name)?.push(spreadOf(of).median);
    }
    for (const { name, versions, deployments } of subjects)
      rows.push({
        benchmark: "rollbacks",
        what: `${what}, ${versions.toLocaleString("en")} versions, ${deployments.toLocaleString("en")} deployments`,
        unit: "ms",
        result: spreadOf(medians.get(name) ?? []),
      });
    rows.push({
      benchmark: "rollbacks",
      what: `${what}, large ÷ small`,
      unit: "×",
      result: ratiosOf(medians.get("large") ?? [], medians.get("small") ?? []),
      target: LARGE_MAX,
    });
  }
  return rows;
}

const time = async (call: Promise<unknown>): Promise<number> => (await timed(() => call))[1];

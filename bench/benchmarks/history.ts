/** The page of deployments that wrangler asks for, with a short and with a long history behind it. */
import { FLAT_MAX } from "../measure/flat.ts";
import type { Lab } from "../measure/lab.ts";
import { ratiosOf, shuffled, spreadOf } from "../measure/statistics.ts";
import type { Row } from "../measure/table.ts";
import { timed } from "../measure/timed.ts";
import { putWorker } from "../servers/deployed-worker.ts";
import { seedDeployments } from "../servers/seed-deployments.ts";

const SHORT = 100;
const LONG = 100_000;
const PAGE = 10;

export async function benchmarkHistory(lab: Lab): Promise<Row[]> {
  const directory = lab.directory();
  const first = await lab.host("switchback", directory);
  const subjects = [
    { name: "short", deployments: SHORT, medians: [] as number[] },
    { name: "long", deployments: LONG, medians: [] as number[] },
  ] as const;
  const setup = lab.api(first);
  for (const { name } of subjects) await putWorker(setup, name);
  await first.stop();
  for (const { name, deployments } of subjects) seedDeployments(directory, name, deployments);

  const api = lab.api(await lab.host("switchback", directory));
  for (let round = 0; round <= (lab.quick ? 3 : 15); round++) {
    const times = subjects.map(({ name, medians }) => ({ name, medians, of: [] as number[] }));
    for (let i = 0; i < (lab.quick ? 5 : 40); i++) {
      for (const { name, of } of shuffled(times)) {
        const [page, ms] = await timed(() =>
          api.call<{ deployments: unknown[] }>("GET", `/workers/scripts/${name}/deployments`),
        );
        if (page.deployments.length !== PAGE) {
          throw new Error(`The page held ${page.deployments.length} deployments, not ${PAGE}`);
        }
        of.push(ms);
      }
    }
    if (round > 0) for (const { medians, of } of times) medians.push(spreadOf(of).median);
  }
  const [short, long] = subjects;
  const row = { benchmark: "history" } as const;
  return [
    ...subjects.map(({ deployments, medians }): Row => ({
      ...row,
      what: `page of ${PAGE} of ${deployments.toLocaleString("en")} deployments`,
      unit: "ms",
      result: spreadOf(medians),
    })),
    {
      ...row,
      what: "page, 100,000 ÷ 100 deployments",
      unit: "×",
      result: ratiosOf(long.medians, short.medians),
      target: FLAT_MAX,
    },
  ];
}

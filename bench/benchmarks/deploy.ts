/**
 * From the call that deploys or rolls back to its acknowledgment, with few and with many routes. After each
 * acknowledgment a route is visited: an answer of the other version ends the benchmark.
 */
import { FLAT_MAX } from "../measure/flat.ts";
import type { Lab } from "../measure/lab.ts";
import type { LoadReport } from "../measure/load-thread.ts";
import { ratiosOf, shuffled, spreadOf } from "../measure/statistics.ts";
import type { Row } from "../measure/table.ts";
import { timed } from "../measure/timed.ts";
import type { ApiClient } from "../servers/api-client.ts";
import {
  deploy,
  HELLO_CODE,
  putRoutes,
  putWorker,
  uploadVersion,
} from "../servers/deployed-worker.ts";

/** The most that one call takes. */
const ROUTES_PER_WORKER = 1_000;
const ROUTES = [1, 10_000] as const;
const NAME = "worker-0";

interface Subject {
  readonly routes: number;
  readonly port: number;
  readonly api: ApiClient;
  readonly before: string;
  readonly after: string;
  /** Medians of the rounds, milliseconds. */
  readonly deploys: number[];
  readonly rollbacks: number[];
  readonly loads: LoadReport[];
  /** Of single calls while routes were put. */
  readonly routeCalls: number[];
}

export async function benchmarkDeploy(lab: Lab): Promise<Row[]> {
  const many = lab.quick ? 2_000 : ROUTES[1];
  const subjects = [await startSubject(lab, ROUTES[0]), await startSubject(lab, many)] as const;
  const pairs = lab.quick ? 1 : 15;
  for (let round = 0; round <= (lab.quick ? 3 : 13); round++) {
    const times = subjects.map((subject) => ({
      subject,
      deploys: [] as number[],
      rollbacks: [] as number[],
    }));
    for (let pair = 0; pair < pairs; pair++) {
      for (const { subject, deploys, rollbacks } of shuffled(times)) {
        deploys.push(await deployAndVisit(subject, subject.after, "Deploy"));
        rollbacks.push(await deployAndVisit(subject, subject.before, "Rollback"));
      }
    }
    for (const { subject, deploys, rollbacks } of shuffled(times)) {
      const report = await lab.load.run({
        port: subject.port,
        host: "shop-0.bench.example",
        connections: 16,
        warmMs: 100,
        measureMs: lab.quick ? 100 : 600,
        expected: "Hello",
      });
      if (round === 0) continue;
      subject.deploys.push(spreadOf(deploys).median);
      subject.rollbacks.push(spreadOf(rollbacks).median);
      subject.loads.push(report);
    }
  }
  return rowsOf(...subjects);
}

async function startSubject(lab: Lab, routes: number): Promise<Subject> {
  const host = await lab.host();
  const api = lab.api(host);
  const routeCalls: number[] = [];
  const patterns = Array.from({ length: routes }, (_, i) => patternOf(i));
  for (let worker = 0; worker * ROUTES_PER_WORKER < routes; worker++) {
    const name = `worker-${worker}`;
    await putWorker(api, name);
    const from = worker * ROUTES_PER_WORKER;
    const own = patterns.slice(from, from + ROUTES_PER_WORKER);
    const [, ms] = await timed(() => putRoutes(api, name, own));
    routeCalls.push(ms);
  }
  const before = await uploadVersion(api, NAME, `${HELLO_CODE}// before`);
  const after = await uploadVersion(api, NAME, `${HELLO_CODE}// after`);
  const empty = { deploys: [], rollbacks: [], loads: [] };
  return { routes, port: host.port, api, before, after, ...empty, routeCalls };
}

/** Whole hosts and sections of one host, as teams have both. */
const patternOf = (i: number) =>
  i % 2 === 0 ? `shop-${i}.bench.example/*` : `bench.example/section-${i}/*`;

async function deployAndVisit(
  { api }: Subject,
  versionId: string,
  message: string,
): Promise<number> {
  const [, ms] = await timed(() => deploy(api, NAME, versionId, message));
  const { headers } = await api.visit("shop-0.bench.example");
  const answered = String(headers["x-switchback-version"]);
  if (answered !== versionId) {
    throw new Error(`${versionId} was acknowledged, then ${answered} answered`);
  }
  return ms;
}

function rowsOf(few: Subject, many: Subject): Row[] {
  const routes = (n: number) => `${n.toLocaleString("en")} route${n === 1 ? "" : "s"}`;
  const rates = (subject: Subject) => subject.loads.map((load) => load.requestsPerSecond);
  const pair = `${routes(many.routes)} ÷ ${routes(few.routes)}`;
  const row = (what: string, unit: Row["unit"], result: Row["result"]): Row => ({
    benchmark: "deploy",
    what,
    unit,
    result,
  });
  const flat = (what: string, of: "deploys" | "rollbacks"): Row[] => [
    ...[few, many].map((subject) =>
      row(`${what}, ${routes(subject.routes)}`, "ms", spreadOf(subject[of])),
    ),
    { ...row(`${what}, ${pair}`, "×", ratiosOf(many[of], few[of])), target: FLAT_MAX },
  ];
  return [
    ...flat("deployment", "deploys"),
    ...flat("rollback", "rollbacks"),
    ...[few, many].map((subject) => ({
      ...row(`visitors, ${routes(subject.routes)}, c=16`, "req/s", spreadOf(rates(subject))),
      p50: spreadOf(subject.loads.map((load) => load.p50)),
      p99: spreadOf(subject.loads.map((load) => load.p99)),
    })),
    row(`visitors, ${pair}, c=16`, "×", ratiosOf(rates(many), rates(few))),
    row(`replacing the routes of one Worker by 1,000`, "ms", spreadOf(many.routeCalls)),
  ];
}

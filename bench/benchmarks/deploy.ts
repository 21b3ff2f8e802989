/**
 * From the call that deploys or rolls back to its acknowledgment, with few and with many routes, while visitors keep
 * a lease alive and while nobody does. After each acknowledgment a route is visited: an answer of the other version
 * ends the benchmark.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { LEASE_MS_ONE_MACHINE } from "../../src/domain/limits.ts";
import { FLAT_MAX } from "../measure/flat.ts";
import type { Lab } from "../measure/lab.ts";
import type { LoadReport } from "../measure/load-thread.ts";
import { quantile, ratiosOf, shuffled, spreadOf } from "../measure/statistics.ts";
import type { Row, Target } from "../measure/table.ts";
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
const HOST = "shop-0.bench.example";
/** Whatever lease there was is over after this long. */
const LEASES_OVER_MS = LEASE_MS_ONE_MACHINE * 1.25;
/** Between two visits of the traffic that keeps a lease alive. */
const VISIT_EVERY_MS = 5;
/** A visible change waits for the leases on the value before it, and hardly longer. */
const ACKNOWLEDGED_P50_MAX = LEASE_MS_ONE_MACHINE;
const ACKNOWLEDGED_P99_MAX = 1.3 * LEASE_MS_ONE_MACHINE + 50;

/** Milliseconds, by round. */
interface Times {
  readonly deploys: number[][];
  readonly rollbacks: number[][];
}

interface Subject {
  readonly routes: number;
  readonly port: number;
  readonly api: ApiClient;
  /** A connection of their own. */
  readonly visitors: ApiClient;
  readonly before: string;
  readonly after: string;
  /** With nobody there, and with visitors. */
  readonly quiet: Times;
  readonly busy: Times;
  readonly loads: LoadReport[];
  /** Of single calls while routes were put. */
  readonly routeCalls: number[];
}

export async function benchmarkDeploy(lab: Lab): Promise<Row[]> {
  const many = lab.quick ? 2_000 : ROUTES[1];
  const subjects = [await startSubject(lab, ROUTES[0]), await startSubject(lab, many)] as const;
  const rounds = lab.quick ? 1 : 10;
  // Round 0 is for the compilers.
  for (let round = 0; round <= rounds; round++) {
    await deployInTurn(subjects, "quiet", lab.quick ? 1 : 4, round > 0);
    await deployInTurn(subjects, "busy", lab.quick ? 1 : 10, round > 0);
    for (const subject of shuffled(subjects)) {
      const report = await lab.load.run({
        port: subject.port,
        hosts: [HOST],
        connections: 16,
        warmMs: 100,
        measureMs: lab.quick ? 100 : 600,
        expected: "Hello",
      });
      if (round > 0) subject.loads.push(report);
    }
  }
  return rowsOf(...subjects);
}

async function deployInTurn(
  subjects: readonly Subject[],
  kind: "quiet" | "busy",
  pairs: number,
  counted: boolean,
): Promise<void> {
  const times = subjects.map((subject) => ({
    subject,
    deploys: [] as number[],
    rollbacks: [] as number[],
  }));
  const traffic = kind === "busy" ? subjects.map((subject) => new Traffic(subject.visitors)) : [];
  for (let pair = 0; pair < pairs; pair++) {
    for (const step of ["deploys", "rollbacks"] as const) {
      if (kind === "quiet") await sleep(LEASES_OVER_MS);
      // At no fixed distance from the asks of the traffic.
      else await sleep(Math.random() * (LEASE_MS_ONE_MACHINE / 2));
      for (const { subject, ...of } of shuffled(times)) {
        const to = step === "deploys" ? subject.after : subject.before;
        of[step].push(await deployAndVisit(subject, to, step));
      }
    }
  }
  for (const visitors of traffic) await visitors.stop();
  if (!counted) return;
  for (const { subject, deploys, rollbacks } of times) {
    subject[kind].deploys.push(deploys);
    subject[kind].rollbacks.push(rollbacks);
  }
}

/** One visitor who comes all the time. */
class Traffic {
  #going = true;
  readonly #done: Promise<void>;

  constructor(visitors: ApiClient) {
    this.#done = this.#visit(visitors);
    // Told when it is stopped.
    this.#done.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#done;
  }

  async #visit(visitors: ApiClient): Promise<void> {
    while (this.#going) {
      await visitors.visit(HOST);
      await sleep(VISIT_EVERY_MS);
    }
  }
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
  return {
    routes,
    port: host.port,
    api,
    visitors: lab.api(host),
    before,
    after,
    quiet: { deploys: [], rollbacks: [] },
    busy: { deploys: [], rollbacks: [] },
    loads: [],
    routeCalls,
  };
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
  const { headers } = await api.visit(HOST);
  const answered = String(headers["x-switchback-version"]);
  if (answered !== versionId) {
    throw new Error(`${versionId} was acknowledged, then ${answered} answered`);
  }
  return ms;
}

const atMost = (value: number): Target => ({ bound: "at most", value });

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
  const acknowledged = (kind: "quiet" | "busy", of: keyof Times): Row[] => {
    const what = `${of === "deploys" ? "deployment" : "rollback"}, ${kind === "busy" ? "visitors all the time" : "no lease alive"}`;
    const busy = kind === "busy";
    const each = [few, many].flatMap((subject) => {
      const samples = subject[kind][of].flat();
      const p99 = quantile(
        samples.toSorted((x, y) => x - y),
        0.99,
      );
      const name = `${what}, ${routes(subject.routes)}`;
      return [
        {
          ...row(name, "ms", spreadOf(samples)),
          ...(busy ? { target: atMost(ACKNOWLEDGED_P50_MAX) } : {}),
        },
        {
          ...row(`${name}: p99 of ${samples.length}`, "ms", spreadOf([p99])),
          ...(busy ? { target: atMost(ACKNOWLEDGED_P99_MAX) } : {}),
        },
      ];
    });
    const medians = (subject: Subject) => subject[kind][of].map((round) => spreadOf(round).median);
    const ratio = ratiosOf(medians(many), medians(few));
    return [...each, { ...row(`${what}, ${pair}`, "×", ratio), target: FLAT_MAX }];
  };
  return [
    ...acknowledged("busy", "deploys"),
    ...acknowledged("busy", "rollbacks"),
    ...acknowledged("quiet", "deploys"),
    ...acknowledged("quiet", "rollbacks"),
    ...[few, many].map((subject) => ({
      ...row(`visitors, ${routes(subject.routes)}, c=16`, "req/s", spreadOf(rates(subject))),
      p50: spreadOf(subject.loads.map((load) => load.p50)),
      p99: spreadOf(subject.loads.map((load) => load.p99)),
    })),
    row(`visitors, ${pair}, c=16`, "×", ratiosOf(rates(many), rates(few))),
    row(`replacing the routes of one Worker by 1,000`, "ms", spreadOf(many.routeCalls)),
  ];
}

/**
 * From a request that never stops looping to service as before, on a host with two gateways: when the process is
 * there again, when the looping Worker itself answers again, and how long visitors of other Workers had to wait.
 * None of theirs may fail.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { affinity, hashOf } from "../../src/domain/containment/home.ts";
import type { Lab } from "../measure/lab.ts";
import { quantile, spreadOf } from "../measure/statistics.ts";
import type { Row, Target } from "../measure/table.ts";
import { timed } from "../measure/timed.ts";
import type { ApiClient } from "../servers/api-client.ts";
import { HELLO_CODE, putWorker } from "../servers/deployed-worker.ts";

const GATEWAYS = 2;
const LOOPER = "looper";
const LOOPER_CODE = `export default {
  fetch(request) {
    if (request.method === "POST") for (;;);
    return new Response("Hello");
  },
};\n`;
/** Workers of the same gateway as the looping one, and as many of the other gateway. */
const NEIGHBOURS_EACH = 3;
/** Between two requests of one visitor. */
const VISIT_EVERY_MS = 5;
/** Between two looks at whether all gateways are there. */
const LOOK_MS = 5;
const BACK_MS_MAX = 30_000;
/** "Back in under a second". */
const SECOND_MAX: Target = { bound: "at most", value: 1_000 };

interface Round {
  /** From the sending of the request that loops, in milliseconds: until its visitor is told that it is lost. */
  readonly told: number;
  /** … until both gateways are up. */
  readonly whole: number;
  /** … until another request to the looping Worker has been answered. */
  readonly own: number;
  /** The longest that one request to a Worker of the same gateway took; of the other gateway. */
  readonly same: number;
  readonly other: number;
}

export async function measureWedges(lab: Lab): Promise<Row[]> {
  const rounds: Round[] = [];
  // A new host each time: one on which gateways are lost again and again grows more careful, and slower.
  for (let round = 1; round <= (lab.quick ? 2 : 20); round++) rounds.push(await wedgeOnce(lab));
  const rows = (what: string, samples: readonly number[], target?: Target): Row[] => {
    const p90 = quantile(
      samples.toSorted((x, y) => x - y),
      0.9,
    );
    const row = { benchmark: "split", unit: "ms" } as const;
    return [
      { ...row, what, result: spreadOf(samples), ...(target ? { target } : {}) },
      { ...row, what: `${what}: p90`, result: spreadOf([p90]) },
    ];
  };
  const from = "from a request that loops";
  return [
    ...rows(
      `${from} to the loss of its gateway`,
      rounds.map(({ told }) => told),
    ),
    ...rows(
      `${from} to a successor that serves`,
      rounds.map(({ whole }) => whole),
      SECOND_MAX,
    ),
    ...rows(
      `${from} to the next answer of the same Worker`,
      rounds.map(({ own }) => own),
    ),
    ...rows(
      "longest request meanwhile, Workers of the same gateway",
      rounds.map(({ same }) => same),
      SECOND_MAX,
    ),
    ...rows(
      "longest request meanwhile, Workers of the other gateway",
      rounds.map(({ other }) => other),
    ),
  ];
}

async function wedgeOnce(lab: Lab): Promise<Round> {
  const host = await lab.host("switchback", lab.directory(), {
    SWITCHBACK_GATEWAYS: String(GATEWAYS),
  });
  const api = lab.api(host);
  const slot = slotOf(LOOPER);
  const same = namesOf((name) => slotOf(name) === slot);
  const other = namesOf((name) => slotOf(name) !== slot);
  await putWorker(api, LOOPER, LOOPER_CODE);
  for (const name of [...same, ...other]) await putWorker(api, name, HELLO_CODE);
  await api.visit(hostOf(LOOPER));
  const visitors = {
    same: same.map((name) => new Visitor(lab.api(host), hostOf(name))),
    other: other.map((name) => new Visitor(lab.api(host), hostOf(name))),
  };
  const all = [...visitors.same, ...visitors.other];
  await sleep(lab.quick ? 200 : 500);
  for (const visitor of all) visitor.longest = 0;

  const startedAt = performance.now();
  // With a body, so that it is not sent once more, and takes no second process down.
  const lost = await lab.api(host).send("POST", hostOf(LOOPER), "/", "loop for ever");
  const told = performance.now() - startedAt;
  if (lost.status !== 502) throw new Error(`The request that loops was answered ${lost.status}`);
  const [own, whole] = await Promise.all([
    api.visit(hostOf(LOOPER)).then(() => performance.now() - startedAt),
    allGateways(lab.api(host)).then(() => performance.now() - startedAt),
  ]);
  // Those who wait still, too.
  await Promise.all(all.map((visitor) => visitor.stop()));
  await host.stop();
  const longest = (of: readonly Visitor[]) => Math.max(...of.map((visitor) => visitor.longest));
  return { told, whole, own, same: longest(visitors.same), other: longest(visitors.other) };
}

/** Someone who comes all the time, and whom nothing must fail. */
class Visitor {
  /** Milliseconds. */
  longest = 0;
  #going = true;
  readonly #done: Promise<void>;

  constructor(api: ApiClient, host: string) {
    this.#done = this.#visit(api, host);
    // Told when it is stopped.
    this.#done.catch(() => undefined);
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#done;
  }

  async #visit(api: ApiClient, host: string): Promise<void> {
    while (this.#going) {
      const [, ms] = await timed(() => api.visit(host));
      this.longest = Math.max(this.longest, ms);
      await sleep(VISIT_EVERY_MS);
    }
  }
}

async function allGateways(api: ApiClient): Promise<void> {
  const deadline = performance.now() + BACK_MS_MAX;
  while (performance.now() < deadline) {
    const { gateways } = JSON.parse((await api.visit("localhost", "/readyz")).body) as {
      readonly gateways: number;
    };
    if (gateways === GATEWAYS) return;
    await sleep(LOOK_MS);
  }
  throw new Error(`${GATEWAYS} gateways were not back within ${BACK_MS_MAX} ms`);
}

const hostOf = (name: string) => `${name}.localhost`;

/** Which place of the pool a Worker's host is at home in. */
function slotOf(name: string): number {
  const hash = hashOf(hostOf(name));
  const slots = Array.from({ length: GATEWAYS }, (_, slot) => slot);
  return slots.reduce((best, slot) => (affinity(hash, slot) > affinity(hash, best) ? slot : best));
}

function namesOf(fits: (name: string) => boolean): string[] {
  const names = Array.from({ length: 100 }, (_, i) => `worker-${i}`);
  return names.filter(fits).slice(0, NEIGHBOURS_EACH);
}

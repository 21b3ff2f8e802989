/**
 * What a call of a binding costs in a deployed Worker against the same call in the same Worker run directly. Both are
 * asked over HTTP, so what a request costs without any call is measured too, and taken off.
 */
import type { Lab } from "../measure/lab.ts";
import type { LoadReport } from "../measure/load-thread.ts";
import { ratiosOf, shuffled, spreadOf } from "../measure/statistics.ts";
import type { Row } from "../measure/table.ts";
import { putBoundWorker, startBoundDirectly } from "../servers/bound-worker.ts";

const CALLS = [
  "kv-get",
  "kv-put",
  "r2-get",
  "r2-put",
  "d1-read",
  "d1-write",
  "queue-send",
  "object-read",
  "object-write",
  "cache-match",
] as const;
const NAME = "bound";
const CONNECTIONS = [1, 16] as const;

export async function benchmarkBindings(lab: Lab): Promise<Row[]> {
  const direct = await startBoundDirectly(lab.directory());
  try {
    const host = await lab.host();
    const api = lab.api(host);
    await putBoundWorker(api, NAME);
    const ports = { direct: direct.port, deployed: host.port };
    const sides = Object.entries(ports) as [keyof typeof ports, number][];
    for (const [, port] of sides) {
      await lab.load.run({ ...order(port, "setup"), connections: 1, warmMs: 0, measureMs: 1 });
    }
    const rows: Row[] = [];
    for (const connections of CONNECTIONS) {
      const reports = new Map<string, LoadReport[]>();
      for (let round = 0; round <= (lab.quick ? 1 : 7); round++) {
        for (const path of shuffled(["none", ...CALLS])) {
          for (const [side, port] of shuffled(sides)) {
            const measureMs = lab.quick ? 100 : 500;
            const report = await lab.load.run({
              ...order(port, path),
              connections,
              warmMs: 100,
              measureMs,
            });
            const key = `${side} ${path}`;
            if (round > 0) reports.set(key, [...(reports.get(key) ?? []), report]);
          }
        }
      }
      rows.push(...rowsOf(connections, reports));
    }
    return rows;
  } finally {
    await direct.stop();
  }
}

const order = (port: number, path: string) => ({
  port,
  hosts: [`${NAME}.localhost`],
  path: `/${path}`,
  expected: "Hello",
});

function rowsOf(connections: number, reports: ReadonlyMap<string, readonly LoadReport[]>): Row[] {
  const with_ = `c=${connections}`;
  const of = (side: string, path: string) => reports.get(`${side} ${path}`) ?? [];
  const rates = (side: string, path: string) => of(side, path).map((r) => r.requestsPerSecond);
  const added = (side: string, path: string) =>
    of(side, path).map((r, round) => (r.p50 - (of(side, "none")[round]?.p50 ?? 0)) * 1000);
  const row = (what: string, unit: Row["unit"], samples: readonly number[]): Row => ({
    benchmark: "bindings",
    what: `${what}, ${with_}`,
    unit,
    result: spreadOf(samples),
  });
  return ["none", ...CALLS].flatMap((path) => [
    {
      ...row(`requests a second with ${path}: deployed ÷ direct`, "×", [0]),
      result: ratiosOf(rates("deployed", path), rates("direct", path)),
    },
    ...(path === "none" || connections !== 1
      ? []
      : [
          row(`${path} adds to p50, direct`, "µs", added("direct", path)),
          row(`${path} adds to p50, deployed`, "µs", added("deployed", path)),
        ]),
  ]);
}

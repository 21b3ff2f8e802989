import { expect, it } from "vitest";
import type { AccountId, WorkerId, WorkerName } from "../../src/domain/ids.ts";
import { ROUTES_PER_CALL_MAX, ROUTES_PER_ZONE_MAX } from "../../src/domain/limits.ts";
import { EMPTY_ROUTE_TABLE, type RouteTable } from "../../src/domain/route-table.ts";
import { decideRouting, type RoutingCommand } from "../../src/domain/routing-change.ts";
import { applyRoutingDiff } from "../../src/domain/routing-diff.ts";
import type { Worker, Zone } from "../../src/domain/worker.ts";

const idOf = (n: number) => String(n).padStart(32, "0") as WorkerId;
const worker = (n: number): Worker => ({
  id: idOf(n),
  accountId: "acc" as AccountId,
  name: `w${n}` as WorkerName,
  createdOn: 1,
  modifiedOn: 1,
  subdomainEnabled: false,
  previewsEnabled: false,
  settings: {},
});

/** Runs commands one after the other; each gives "done" or the kind of its refusal. */
function world() {
  let table: RouteTable = EMPTY_ROUTE_TABLE;
  let zones: readonly Zone[] = [];
  let ids = 0;
  const newId = () => `f${String(++ids).padStart(31, "0")}`;
  return (command: RoutingCommand): string => {
    const decided = decideRouting({ table, zones, controlHosts: [] }, command, newId);
    if (!decided.ok) return decided.error.kind;
    table = applyRoutingDiff(table, decided.value);
    zones = [...zones, ...decided.value.newZones];
    return "done";
  };
}

it("a zone has so many routes, of however many Workers, and not one more; another zone has room", () => {
  const run = world();
  const calls = ROUTES_PER_ZONE_MAX / ROUTES_PER_CALL_MAX;
  const route = (n: number, ...patterns: string[]) =>
    run({
      kind: "replace_routes",
      workerId: idOf(n),
      routes: patterns.map((pattern) => ({ pattern })),
    });
  for (let n = 0; n <= calls; n++) run({ kind: "create_worker", worker: worker(n) });
  for (let n = 0; n < calls; n++) {
    const patterns = Array.from(
      { length: ROUTES_PER_CALL_MAX },
      (_, at) => `full.example/${n}/${at}`,
    );
    expect(route(n, ...patterns)).toBe("done");
  }
  expect(route(calls, "full.example/more")).toBe("bad_route_pattern");
  expect(route(calls, "other.example/*")).toBe("done");
  expect(route(0, "full.example/0/0")).toBe("done");
  expect(route(calls, "full.example/more")).toBe("done");
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AccountId, WorkerId, WorkerName } from "../../src/domain/ids.ts";
import { ROUTES_PER_CALL_MAX } from "../../src/domain/limits.ts";
import { EMPTY_ROUTE_TABLE, type RouteTable } from "../../src/domain/route-table.ts";
import { decideRouting, type RoutingCommand } from "../../src/domain/routing-change.ts";
import { applyRoutingDiff, invertRoutingDiff } from "../../src/domain/routing-diff.ts";
import type { Worker, Zone } from "../../src/domain/worker.ts";

const worker = (n: number): Worker => ({
  id: String(n).repeat(32).slice(0, 32) as WorkerId,
  accountId: "acc" as AccountId,
  name: `w${n}` as WorkerName,
  createdOn: 1,
  modifiedOn: 1,
  subdomainEnabled: false,
  previewsEnabled: false,
  settings: {},
});

/** A table that is changed by commands, with ids that count up. */
class World {
  table: RouteTable = EMPTY_ROUTE_TABLE;
  zones: Zone[] = [];
  #ids = 0;
  readonly newId = () => String(++this.#ids).padStart(32, "0");

  decide(command: RoutingCommand) {
    const facts = { table: this.table, zones: this.zones, controlHosts: ["control.example"] };
    return decideRouting(facts, command, this.newId);
  }

  run(command: RoutingCommand) {
    const decided = this.decide(command);
    if (decided.ok) {
      this.table = applyRoutingDiff(this.table, decided.value);
      this.zones = [...this.zones, ...decided.value.newZones];
    }
    return decided.ok ? "done" : decided.error.kind;
  }
}

function twoWorkers(): World {
  const world = new World();
  world.run({ kind: "create_worker", worker: worker(1) });
  world.run({ kind: "create_worker", worker: worker(2) });
  return world;
}
const routes = (n: number, ...patterns: string[]): RoutingCommand => ({
  kind: "replace_routes",
  workerId: worker(n).id,
  routes: patterns.map((pattern) => ({ pattern })),
});
const domains = (n: number, override: boolean, ...hostnames: string[]): RoutingCommand => ({
  kind: "replace_domains",
  workerId: worker(n).id,
  domains: hostnames.map((hostname) => ({ hostname })),
  override,
});

describe("routing changes", () => {
  it("replacing a Worker's routes keeps what stays, adds what is new, drops what is not named", () => {
    const world = twoWorkers();
    world.run(routes(1, "example.com/a*", "example.com/b*"));
    const kept = world.table.routes.find((route) => route.pattern === "example.com/b*");
    expect(world.run(routes(1, "example.com/b*", "example.com/c*"))).toBe("done");
    expect(world.table.routes.map((route) => route.pattern).toSorted()).toEqual([
      "example.com/b*",
      "example.com/c*",
    ]);
    expect(world.table.routes.find((route) => route.pattern === "example.com/b*")).toEqual(kept);
  });

  it("a pattern belongs to one Worker, however it is written", () => {
    const world = twoWorkers();
    world.run(routes(1, "example.com/*"));
    expect(world.decide(routes(2, "https://EXAMPLE.com/*"))).toEqual({
      ok: false,
      error: { kind: "route_taken", pattern: "example.com/*", worker: "w1" },
    });
  });

  it("nobody can claim a control host", () => {
    const world = twoWorkers();
    expect(world.run(routes(1, "control.example/*"))).toBe("host_reserved");
    expect(world.run(domains(1, true, "control.example"))).toBe("host_reserved");
  });

  it("a custom domain moves to another Worker only on request, and is never without an owner", () => {
    const world = twoWorkers();
    world.run(domains(1, false, "shop.example.com"));
    const id = world.table.domains[0]?.id;
    expect(world.run(domains(2, false, "shop.example.com"))).toBe("domain_taken");
    expect(world.run(domains(2, true, "shop.example.com"))).toBe("done");
    expect(world.table.domains).toMatchObject([{ id, workerId: worker(2).id }]);
  });

  it("the same hostname twice in one call is one domain", () => {
    const world = twoWorkers();
    world.run(domains(1, true, "a.example.com", "A.example.com."));
    expect(world.table.domains).toHaveLength(1);
  });

  it("a zone is made on first use and found again, also under a name of its own", () => {
    const world = twoWorkers();
    world.run(routes(1, "a.example.com/*", "*.example.com/x*"));
    expect(world.zones.map((zone) => zone.name)).toEqual(["example.com"]);
    expect(
      world.run({
        kind: "replace_routes",
        workerId: worker(2).id,
        routes: [{ pattern: "other.org/*", zoneName: "example.com" }],
      }),
    ).toBe("bad_route_pattern");
  });

  it("removing a Worker removes its host, routes and domains, and nothing else", () => {
    const world = twoWorkers();
    world.run(routes(1, "example.com/1*"));
    world.run(routes(2, "example.com/2*"));
    world.run(domains(1, false, "one.example.com"));
    world.run({ kind: "remove_worker", workerId: worker(1).id, deletedOn: 9 });
    expect(world.table).toMatchObject({
      workers: [{ name: "w2" }],
      routes: [{ pattern: "example.com/2*" }],
      domains: [],
    });
  });

  it("takes as many routes in one call as the limit says, and not one more", () => {
    const world = twoWorkers();
    const many = (n: number) => Array.from({ length: n }, (_, i) => `example.com/${i}/*`);
    expect(world.run(routes(1, ...many(ROUTES_PER_CALL_MAX + 1)))).toBe("bad_request");
    expect(world.run(routes(1, ...many(ROUTES_PER_CALL_MAX)))).toBe("done");
  });

  it("a route with no Worker can be made, and refuses a Worker that is not there", () => {
    const world = twoWorkers();
    world.run(routes(1, "example.com/*"));
    const zoneId = world.zones[0]?.id ?? "";
    const put = (workerName: string | null): RoutingCommand => ({
      kind: "put_route",
      zoneId,
      routeId: null,
      pattern: "example.com/off*",
      workerName,
    });
    expect(world.run(put("nobody"))).toBe("worker_not_found");
    expect(world.run(put(null))).toBe("done");
    expect(world.table.routes.some((route) => route.workerId === null)).toBe(true);
  });

  it("whatever change is taken back, the table is as before", () => {
    const pattern = fc.constantFrom("example.com/a*", "example.com/b*", "x.org/*", "*.x.org/*");
    const n = fc.integer({ min: 1, max: 2 });
    const anyCommand: fc.Arbitrary<RoutingCommand> = fc.oneof(
      fc.tuple(n, fc.array(pattern)).map(([w, patterns]) => routes(w, ...patterns)),
      fc
        .tuple(n, fc.boolean(), fc.subarray(["a.x.org", "b.x.org"]))
        .map(([w, override, hosts]) => domains(w, override, ...hosts)),
      n.map((w): RoutingCommand => ({ kind: "create_worker", worker: worker(w) })),
      n.map((w): RoutingCommand => ({
        kind: "remove_worker",
        workerId: worker(w).id,
        deletedOn: 5,
      })),
      fc.tuple(n, fc.boolean()).map(([w, enabled]): RoutingCommand => ({
        kind: "set_subdomain",
        workerId: worker(w).id,
        enabled,
      })),
    );
    const sorted = (table: RouteTable) => ({
      workers: table.workers.toSorted((a, b) => a.workerId.localeCompare(b.workerId)),
      routes: table.routes.toSorted((a, b) => a.id.localeCompare(b.id)),
      domains: table.domains.toSorted((a, b) => a.id.localeCompare(b.id)),
    });
    fc.assert(
      fc.property(fc.array(anyCommand, { size: "max", maxLength: 20 }), (commands) => {
        const world = new World();
        for (const command of commands) {
          const decided = world.decide(command);
          if (!decided.ok) continue;
          const before = world.table;
          const after = applyRoutingDiff(before, decided.value);
          const undone = applyRoutingDiff(after, invertRoutingDiff(before, decided.value, 7));
          expect(sorted(undone)).toEqual(sorted(before));
          world.run(command);
          const patterns = world.table.routes.map((route) => route.pattern);
          expect(new Set(patterns).size).toBe(patterns.length);
          const hosts = world.table.domains.map((domain) => domain.hostname);
          expect(new Set(hosts).size).toBe(hosts.length);
        }
      }),
      { numRuns: 500 },
    );
  });
});

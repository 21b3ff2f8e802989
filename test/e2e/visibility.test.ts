/** The promise, as a user can check it: poll as fast as possible while real wrangler rolls back, again and again. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Project, says } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";
import type { Visit } from "./support/visit.ts";

const ROLLBACKS = 50;
const CLIENTS = 8;

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

/** Two hosts of one wildcard route, a route by path, a custom domain, the Worker's own host. */
const ADDRESSES = [
  ["see.example", "/cart/items?n=1"],
  ["de.see.example", "/anything"],
  ["fr.see.example", "/"],
  ["checkout.example", "/pay"],
  ["see.localhost", "/"],
] as const;

const CONFIG = `
workers_dev = true
routes = [
  { pattern = "see.example/cart/*", zone_name = "see.example" },
  { pattern = "*.see.example/*", zone_name = "see.example" },
  { pattern = "checkout.example", custom_domain = true },
]`;

interface Seen {
  readonly visit: Visit;
  readonly sequence: number;
}

describe("while wrangler rolls back", () => {
  test(`${ROLLBACKS} times, nothing that starts after its exit is served by anything else, and no client sees a step back`, async () => {
    const project = new Project(host, "see", says("a"), CONFIG);
    const a = await project.deploy(says("a"));
    const b = await project.deploy(says("b"));
    const history: Seen[][] = Array.from({ length: CLIENTS }, () => []);
    /** When each rollback's wrangler ended, by the place in history that it made. */
    const exits: { readonly at: number; readonly sequence: number }[] = [];
    const bodies = new Map([
      [1, "a"],
      [2, "b"],
    ]);

    let watching = true;
    const clients = history.map(async (seen, client) => {
      for (let n = client; watching; n++) {
        const [name, path] = ADDRESSES[n % ADDRESSES.length] ?? ADDRESSES[0];
        const visit = await host.visit(name, path);
        seen.push({ visit, sequence: Number(visit.headers["x-switchback-sequence"]) });
      }
    });
    for (let n = 0; n < ROLLBACKS; n++) {
      const [target, body] = n % 2 === 0 ? [a, "a"] : [b, "b"];
      await project.wrangler("rollback", target, "--message", `rollback ${n}`);
      exits.push({ at: performance.now(), sequence: n + 3 });
      bodies.set(n + 3, body);
    }
    const goal = history.map((seen) => seen.length + ADDRESSES.length);
    while (history.some((seen, client) => seen.length < (goal[client] ?? 0))) await nextTurn();
    watching = false;
    await Promise.all(clients);

    const all = history.flat();
    expect(all.every(({ visit }) => visit.status === 200)).toBe(true);
    expect(all.every(({ visit, sequence }) => visit.body === bodies.get(sequence))).toBe(true);
    // A later rollback may have come in before its own wrangler ended; an earlier deployment may not be seen.
    for (const { at, sequence } of exits) {
      const late = all.filter(({ visit }) => visit.startedAt > at);
      expect(late.filter((seen) => seen.sequence < sequence)).toEqual([]);
    }
    for (const seen of history) {
      const sequences = seen.map(({ sequence }) => sequence);
      expect(sequences).toEqual(sequences.toSorted((x, y) => x - y));
    }
    // Across clients too: whoever has an answer has ended every earlier deployment for all.
    let newest = 0;
    const byEnd = all.toSorted((x, y) => x.visit.endedAt - y.visit.endedAt);
    let ended = 0;
    for (const { visit, sequence } of all.toSorted(
      (x, y) => x.visit.startedAt - y.visit.startedAt,
    )) {
      for (; (byEnd[ended]?.visit.endedAt ?? Infinity) < visit.startedAt; ended++) {
        newest = Math.max(newest, byEnd[ended]?.sequence ?? 0);
      }
      expect(sequence).toBeGreaterThanOrEqual(newest);
    }
    expect(all.length).toBeGreaterThan(ROLLBACKS * CLIENTS);
  }, 300_000);
});

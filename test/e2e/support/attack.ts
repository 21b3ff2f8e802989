/** A Worker that harms the process it runs in, hammered, while others want service and somebody rolls back. */
import { setTimeout as sleep } from "node:timers/promises";
import { Clients, type Outcome } from "./clients.ts";
import { Project, says } from "./project.ts";
import { ACCOUNT_ID, ROOT_TOKEN, type TestHost } from "./test-host.ts";
import type { WranglerRun } from "./wrangler.ts";

/** Workers that only want to go on; two, so that each process of the pool has one to lose. */
export const BYSTANDERS = ["bystander", "passer-by"] as const;
/** Of each of them. */
const BYSTANDER_CLIENTS = 3;
/** The longest to wait for what should happen before the rollback, in milliseconds. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 50;

export interface Siege {
  readonly host: TestHost;
  /** The Worker to be rolled back. */
  readonly worker: string;
  /** Where its clients go: its own host unless another one leads to it. */
  readonly at?: string;
  readonly clients?: number;
  readonly paths?: readonly string[];
  /** The rollback begins as soon as this holds; without it, at once. */
  readonly until?: () => boolean | Promise<boolean>;
  /** How long the attack lasts before that at least, in milliseconds. */
  readonly forMs?: number;
}

export interface Aftermath {
  /** All that the clients of the Worker got. */
  readonly victims: readonly Outcome[];
  /** Those that were asked for after the rollback had been acknowledged. */
  readonly afterRollback: readonly Outcome[];
  readonly bystanders: readonly Outcome[];
  readonly api: readonly Outcome[];
  readonly rollback: WranglerRun;
}

/** Hammers until a plain `wrangler rollback` has ended, and a moment longer. */
export async function siege(options: Siege): Promise<Aftermath> {
  const { host, worker, clients: count = 50, paths = ["/"], forMs = 1_000 } = options;
  const { port } = host;
  const project = new Project(host, worker, says("never deployed"));
  const bystanders = BYSTANDERS.map(
    (name) =>
      new Clients({ port, host: `${name}.localhost`, count: BYSTANDER_CLIENTS, pauseMs: 20 }),
  );
  const api = new Clients({
    port,
    host: "localhost",
    headers: { authorization: `Bearer ${ROOT_TOKEN}` },
    paths: ["deployments", "versions", "breakers", "settings"].map(
      (what) => `/client/v4/accounts/${ACCOUNT_ID}/workers/scripts/${worker}/${what}`,
    ),
    count: 1,
    pauseMs: 50,
  });
  const at = options.at ?? `${worker}.localhost`;
  const victims = new Clients({ port, host: at, paths, count, pauseMs: 50 });
  await sleep(forMs);
  await until(options.until ?? (() => true));
  const rollback = await project.tryWrangler("rollback");
  const rolledBackAt = performance.now();
  await sleep(forMs);
  const [all, calls, ...others] = await Promise.all([
    victims.stop(),
    api.stop(),
    ...bystanders.map((each) => each.stop()),
  ]);
  return {
    victims: all,
    afterRollback: all.filter(({ startedAt }) => startedAt > rolledBackAt),
    bystanders: others.flat(),
    api: calls,
    rollback,
  };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (performance.now() < deadline) {
    if (await holds()) return;
    await sleep(LOOK_MS);
  }
}

/** The ids of the versions that are not run any more. */
export async function stoppedVersions(host: TestHost, worker: string): Promise<string[]> {
  const answer = await host.api(`A/workers/scripts/${worker}/breakers`);
  if (!answer.success) throw new Error(JSON.stringify(answer.errors));
  return answer.result.map(({ version_id }: { version_id: string }) => version_id);
}

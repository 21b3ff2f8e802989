import { describe, expect, it, vi } from "vitest";
import { createLog } from "../../src/host/log.ts";
import { HEALTH_POLICY, Supervisor, type HealthPolicy } from "../../src/host/supervisor.ts";

/** A runtime on paper: what it answers is in the test's hands, and every step is written down. */
function ward(policy: Partial<HealthPolicy>, answer: (steps: string[]) => number | undefined) {
  const steps: string[] = [];
  const lines: string[] = [];
  let clock = 0;
  let pid: number | undefined = 1;
  const { promise: givenUp, resolve } = Promise.withResolvers<void>();
  const supervisor = new Supervisor({
    patient: {
      get pid() {
        return pid;
      },
      kill: () => void steps.push("kill"),
      restart: async () => {
        steps.push("restart");
        throw new Error("no workerd");
      },
    },
    probe: async () => {
      clock += 1_000;
      return answer(steps);
    },
    policy: { ...HEALTH_POLICY, intervalMs: 1, ...policy },
    log: createLog(
      (line) => lines.push(line),
      () => new Date(0),
    ),
    onGivenUp: resolve,
    now: () => clock,
  });
  return { supervisor, steps, lines, givenUp, end: () => (pid = undefined) };
}

describe("a supervisor", () => {
  it("kills after as many misses in a row as the policy says, not before", async () => {
    let probes = 0;
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const answers = [200, undefined, undefined, 200, undefined, undefined, undefined];
    const { supervisor, steps } = ward({ missesMax: 3 }, (taken) => {
      if (taken.includes("kill")) {
        resolve();
        return 200;
      }
      return answers[probes++];
    });
    supervisor.start();
    await enough;
    await supervisor.stop();
    expect(probes).toBe(answers.length);
    expect(steps).toEqual(["kill"]);
  });

  it("leaves a runtime alone that answers, even if it says that the database is down", async () => {
    let probes = 0;
    const { promise: enough, resolve } = Promise.withResolvers<void>();
    const { supervisor, steps, lines } = ward({}, () => {
      if (++probes === 10) resolve();
      return 503;
    });
    supervisor.start();
    await enough;
    await supervisor.stop();
    expect(steps).toEqual([]);
    expect(lines).toEqual([]);
  });

  it("does not call a start ready before a probe got 200, and says what it got instead", async () => {
    const { supervisor } = ward({ startMsMax: 3_000 }, () => 503);
    expect(await supervisor.ready(200)).toEqual({ ready: false, status: 503 });
  });

  it("gives up, once and aloud, when the runtime cannot be started again", async () => {
    const { supervisor, steps, lines, givenUp, end } = ward(
      { startMsMax: 1_000, startTriesMax: 3 },
      () => undefined,
    );
    end();
    supervisor.start();
    supervisor.lost("SIGKILL");
    await givenUp;
    await supervisor.stop();
    expect(steps).toEqual(["restart", "restart", "restart"]);
    expect(lines.join("")).toContain('runtime could not be started reason="no workerd"');
    expect(lines.at(-1)).toContain("error runtime cannot be brought back tries=3");
  });

  it("never gives up where the host goes on without it, and does not pause for ever longer", async () => {
    const { supervisor, steps, givenUp } = ward(
      { startMsMax: 1_000, startTriesMax: Number.POSITIVE_INFINITY },
      (taken) => (taken.length > 40 ? 200 : undefined),
    );
    const outcome = Promise.race([
      givenUp.then(() => "given up"),
      vi.waitFor(() => expect(steps.length).toBeGreaterThan(40)).then(() => "tried on"),
    ]);
    supervisor.start();
    supervisor.lost("SIGKILL");
    expect(await outcome).toBe("tried on");
    await supervisor.stop();
  });

  it("does not wait for one that was lost again while it started: nobody else starts it", async () => {
    const policy = { startMsMax: 3_600_000, startTriesMax: 2 };
    const { supervisor, steps, givenUp, end } = ward(policy, () => undefined);
    supervisor.start();
    supervisor.lost("SIGKILL");
    end();
    supervisor.lost("SIGKILL");
    await givenUp;
    await supervisor.stop();
    expect(steps).toEqual(["restart", "restart"]);
  });

  it("stops at once, also while it waits for a runtime that never comes", async () => {
    const { supervisor } = ward({ intervalMs: 3_600_000 }, () => undefined);
    supervisor.start();
    await supervisor.stop();
    supervisor.lost("SIGTERM");
  });
});

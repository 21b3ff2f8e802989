/** Two people deploy one Worker at the same time. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { deploymentsOf, versionsOf } from "./support/api-state.ts";
import { Project, says } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

describe("two wranglers that deploy one Worker at once", () => {
  test("both are told their version, history has both, and traffic is the newest one's", async () => {
    const one = new Project(host, "team", says("start"));
    const two = new Project(host, "team", says("start"));
    await one.deploy(says("start"));
    for (let round = 0; round < 2; round++) {
      const made = await Promise.all([
        one.deploy(says(`anna ${round}`)),
        two.deploy(says(`bert ${round}`)),
      ]);
      const history = await deploymentsOf(host, "team");
      expect(history).toHaveLength(3 + 2 * round);
      const last = history.slice(0, 2).flatMap(({ versions }) => versions);
      expect(last.map(({ version_id }) => version_id).sort()).toEqual([...made].sort());
      expect(last.every(({ percentage }) => percentage === 100)).toBe(true);
      const visit = await host.visit("team.localhost");
      expect(visit.headers["x-switchback-deployment"]).toBe(history[0]?.id);
      expect(visit.body).toBe(
        history[0]?.versions[0]?.version_id === made[0] ? `anna ${round}` : `bert ${round}`,
      );
    }
    const numbers = (await versionsOf(host, "team")).map(({ number }) => number);
    expect(numbers).toEqual([5, 4, 3, 2, 1]);
  });

  test("of two first deploys both succeed, with one Worker and both versions", async () => {
    const one = new Project(host, "brand-new", says("one"));
    const two = new Project(host, "brand-new", says("two"));
    const runs = await Promise.all([one.tryWrangler("deploy"), two.tryWrangler("deploy")]);
    expect(runs.map(({ code }) => code)).toEqual([0, 0]);
    expect(await versionsOf(host, "brand-new")).toHaveLength(2);
    const history = await deploymentsOf(host, "brand-new");
    expect(history).toHaveLength(2);
    const visit = await host.visit(one.workersHost);
    expect(visit.headers["x-switchback-version"]).toBe(history[0]?.versions[0]?.version_id);
  });
});

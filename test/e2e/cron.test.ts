/** Cron triggers from `wrangler deploy` to the handler. A minute is the shortest that they know, so this waits for one. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { Project } from "./support/project.ts";
import { TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

const source = (name: string) => `
  export default {
    fetch: () => new Response("ok"),
    async scheduled(controller, env, ctx) {
      ctx.waitUntil(Promise.resolve().then(() =>
        console.log("${name} fired", controller.cron, controller.scheduledTime, typeof controller.noRetry, env.TEXT)));
    },
  };`;

test("a schedule runs the handler on the minute, on the deployment that is current then", async () => {
  const config = `[triggers]\ncrons = ["* * * * *", "0 0 29 2 *"]\n[vars]\nTEXT = "bound"\n`;
  const clock = new Project(host, "clock", source("first"), config);
  await clock.deploy(source("first"));
  const { result } = await host.api("A/workers/scripts/clock/schedules");
  expect(result.schedules.map(({ cron }: { cron: string }) => cron)).toEqual([
    "* * * * *",
    "0 0 29 2 *",
  ]);
  await clock.deploy(source("second"));
  const deployedAt = Date.now();
  const loop = new Project(
    host,
    "loop",
    "export default { scheduled() { for (;;); }, fetch: () => new Response('ok') };",
    '[triggers]\ncrons = ["* * * * *"]\n',
  );
  await loop.wrangler("deploy");
  const refused = await new Project(
    host,
    "clock",
    source("third"),
    `[triggers]\ncrons = ["0 0 * * 0"]`,
  ).tryWrangler("triggers", "deploy");
  expect([refused.code, refused.output]).toEqual([1, expect.stringContaining("130079")]);

  const [, time] = await host.logged(/second fired \* \* \* \* \* (\d+) function bound/);
  const scheduledTime = Number(time);
  expect(scheduledTime % 60_000).toBe(0);
  expect(Math.abs(Date.now() - scheduledTime)).toBeLessThan(60_000);
  expect(scheduledTime).toBeGreaterThan(deployedAt - 60_000);
  // One that blocks its process is found out as a request would be, and the others go on.
  await host.logged(/gateway lost.*cause=blocked/);
  await host.logged(/schedule_fired .*outcome=lost/);
  expect((await host.visit(clock.workersHost)).body).toBe("ok");
});

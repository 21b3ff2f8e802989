/** What an operator can see while parts of a host do not answer. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { putWorker } from "./support/small-worker.ts";
import { ROOT_TOKEN, TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(async () => {
  await host.start({ flags: ["--gateways", "2"] });
  await putWorker(
    host,
    "tenant",
    `export default { fetch(request) {
       const { pathname } = new URL(request.url);
       if (pathname === "/loop") for (;;) {}
       if (pathname === "/flood") for (let n = 0; n < 20000; n++) console.log("line " + n + " ".repeat(200));
       return new Response("well");
     } };`,
  );
});
afterAll(() => host.dispose());

async function read(path: string, token?: string) {
  const response = await fetch(host.url + path, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  return { status: response.status, body: await response.text() };
}
const metrics = async () => (await read("/metrics", ROOT_TOKEN)).body;
const valueOf = (text: string, sample: string): number | undefined => {
  const line = text.split("\n").find((each) => each.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
};
const served = 'switchback_gateway_requests_total{kind="pool",outcome="served"}';

test("the metrics are for the root token, and tell of every process and what each has counted", async () => {
  expect((await read("/metrics")).status).toBe(401);
  expect((await read("/metrics", "sbk_another")).status).toBe(401);
  expect((await host.visit("tenant.localhost")).body).toBe("well");
  const text = await metrics();
  for (const { kind } of host.processes().filter((each) => each.kind !== "guard")) {
    expect(text).toMatch(new RegExp(`switchback_up\\{[^}]*"${kind}"[^}]*\\} 1`));
  }
  expect(valueOf(text, served)).toBe(1);
  expect(text).toMatch(/switchback_worker_requests_total\{worker="[^"]+"\} 1\n/);
  expect(text).toMatch(
    /switchback_api_requests_total\{method="PUT",route="[^"]+\/scripts\/:name",status="200"\} 1\n/,
  );
  expect(text).toMatch(/switchback_control_asks_total\{ask="leaseDeployment"\} [1-9]/);
});

test("the metrics answer while a gateway is lost, keep its counts, and tell of the loss", async () => {
  const before = valueOf(await metrics(), served) ?? 0;
  const lost = host.visit("tenant.localhost", "/loop").catch(() => undefined);
  await host.logged(/gateway lost .*kind=pool cause=blocked/);
  const after = await metrics();
  expect(valueOf(after, served)).toBeGreaterThanOrEqual(before);
  const losses = 'switchback_gateway_losses_total{kind="pool",cause="blocked"}';
  expect(valueOf(after, losses)).toBeGreaterThan(0);
  await lost;
});

test("while the control process is silent, /healthz and /readyz say so at once, and the metrics go on", async () => {
  expect((await read("/healthz")).status).toBe(200);
  const pid = host.runtimePid();
  process.kill(pid, "SIGSTOP");
  try {
    // By now no probe has found out, and nobody waits for that.
    expect(await read("/healthz")).toEqual({
      status: 503,
      body: '{"status":"control process does not answer"}',
    });
    let readiness = await read("/readyz");
    while (readiness.status === 200) readiness = await read("/readyz");
    expect(JSON.parse(readiness.body)).toMatchObject({ ready: false, control: "does not answer" });
    expect(await read("/healthz")).toEqual({
      status: 503,
      body: '{"status":"control process does not answer"}',
    });
    expect(
      valueOf(await metrics(), 'switchback_up{process="control",name="control",kind=""}'),
    ).toBe(0);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  while ((await read("/readyz")).status !== 200);
  expect((await read("/healthz")).status).toBe(200);
});

test("a flood of lines is left out of the log, told, and counted; the Worker goes on", async () => {
  // Its host may be apart since it took a gateway down; that is not what this is about.
  expect((await host.visit("tenant.localhost", "/flood")).body).toBe("well");
  const [, lines, name] = await host.logged(/lines suppressed lines=(\d+) process=(g\d+)/);
  expect(Number(lines)).toBeGreaterThan(10_000);
  expect(name).toMatch(/^g\d+$/);
  expect(host.log.split("\n").filter((line) => line.includes(" console ")).length).toBeLessThan(
    9_000,
  );
  expect(valueOf(await metrics(), "switchback_log_lines_suppressed_total")).toBe(Number(lines));
  expect((await host.visit("tenant.localhost")).body).toBe("well");
});

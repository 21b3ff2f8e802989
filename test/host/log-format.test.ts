import { expect, it } from "vitest";
import { HostProcess, temporaryDirectory } from "./host-process.ts";

it("with --log json every line of a host on standard output is one JSON object, from its start to its end", async () => {
  const host = new HostProcess(["--port", "0", "--data", temporaryDirectory(), "--log", "json"]);
  await host.seen(/"event":"switchback ready"/);
  expect(await host.kill("SIGTERM")).toBe(0);
  const lines = host.stdout.trimEnd().split("\n");
  const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  for (const event of events) {
    expect(event).toMatchObject({
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      level: expect.stringMatching(/^(?:debug|info|warn|error)$/),
      event: expect.any(String),
      process: expect.stringMatching(/^(?:launcher|supervisor|control|g\d+)$/),
    });
  }
  expect(events.map(({ event }) => event)).toEqual(
    expect.arrayContaining(["switchback ready", "stopping", "stopped"]),
  );
  // The token is shown to people, and is not for whoever collects the log.
  expect(host.stdout).not.toContain("CLOUDFLARE_API_TOKEN");
  expect(host.stderr).toMatch(/^export CLOUDFLARE_API_TOKEN=\S+$/m);
});

import { describe, expect, it } from "vitest";
import { gone, HostProcess, read, startedHost, temporaryDirectory } from "./host-process.ts";

describe("a runtime that is lost", () => {
  it("comes back on the same port after SIGKILL, with its data, as often as needed", async () => {
    const { host, url } = await startedHost(temporaryDirectory());
    expect(await read(`${url}/object`)).toBe("1");
    for (const round of [1, 2]) {
      process.kill(host.runtimePid(), "SIGKILL");
      await host.seen(new RegExp(`(runtime back after \\d+ ms[^]*){${round}}`));
      expect(await read(`${url}/object`)).toBe(String(round + 1));
    }
    expect(host.stdout).toContain("error runtime lost, restarting reason=SIGKILL");
  });

  it("is killed when deployed code loops for ever, and comes back", async () => {
    const { host, url } = await startedHost(temporaryDirectory());
    const wedged = host.runtimePid();
    const looping = read(`${url}/loop`).catch(() => "cut off");
    await host.seen(/error runtime wedged, restarting misses=2/);
    await host.seen(/runtime back after \d+ ms/);
    expect(await looping).toBe("cut off");
    expect(await read(`${url}/healthz`)).toBe("ok");
    expect(host.runtimePid()).not.toBe(wedged);
    expect(await host.kill("SIGTERM")).toBe(0);
  });
});

describe("a host that is stopped while its runtime is wedged", () => {
  it("waits no longer than the drain limit, and exits with 0", async () => {
    const { host, url } = await startedHost(temporaryDirectory());
    const looping = read(`${url}/loop`).catch(() => "cut off");
    expect(await host.kill("SIGTERM")).toBe(0);
    expect(await looping).toBe("cut off");
    await gone(host.runtimePid());
    expect(host.stderr).toBe("");
  });
});

describe("a host that is killed", () => {
  it("takes its runtime with it, and the next one starts on the same port and directory at once", async () => {
    const directory = temporaryDirectory();
    const { host, url } = await startedHost(directory);
    expect(await read(`${url}/object`)).toBe("1");
    const runtime = host.runtimePid();
    await host.kill("SIGKILL");
    const next = new HostProcess(["--port", new URL(url).port, "--data", directory]);
    expect(await next.url()).toBe(url);
    await gone(runtime);
    expect(await read(`${url}/object`)).toBe("2");
  });

  it("takes its runtime with it also if no other host follows", async () => {
    const { host } = await startedHost(temporaryDirectory());
    const runtime = host.runtimePid();
    await host.kill("SIGKILL");
    await gone(runtime);
  });
});

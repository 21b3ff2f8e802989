import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { gone, HostProcess, read, startedHost, temporaryDirectory } from "./host-process.ts";

/** A visitor's request, to a name that is no control host. */
function visit(
  url: string,
  path: string,
  method = "GET",
): Promise<{ status: number; body: string }> {
  return new Promise((done, fail) => {
    const headers = { host: "shop.localhost", connection: "close" };
    const sent = request({ port: new URL(url).port, host: "127.0.0.1", path, method, headers });
    sent.once("error", fail);
    sent.once("response", (response) => {
      let body = "";
      response.on("data", (chunk) => (body += String(chunk)));
      response.once("end", () => done({ status: response.statusCode ?? 0, body }));
    });
    sent.end();
  });
}

/** Every workerd process of the host over that directory. */
const guarded = (directory: string): number[] =>
  readFileSync(join(directory, "runtime.pid"), "utf8").trim().split("\n").map(Number);

describe("a control process that is lost", () => {
  it("comes back on the same port after SIGKILL, with its data, as often as needed", async () => {
    const { host, url } = await startedHost(temporaryDirectory());
    expect(await read(`${url}/object`)).toBe("1");
    for (const round of [1, 2]) {
      process.kill(host.runtimePid(), "SIGKILL");
      // Held at the front until there is somebody to answer it.
      expect(await read(`${url}/object`)).toBe(String(round + 1));
      await host.seen(new RegExp(`(runtime back ms=\\d+[^]*){${round}}`));
    }
    expect(host.stdout).toContain("error runtime lost, restarting reason=SIGKILL");
  });

  it("takes nobody else with it: visitors are served by the same processes all the time", async () => {
    const directory = temporaryDirectory();
    const { host, url } = await startedHost(directory);
    const others = guarded(directory).filter((pid) => pid !== host.runtimePid());
    const before = await visit(url, "/gateway");
    expect(before).toMatchObject({ status: 200, body: expect.stringMatching(/^g\d+$/) as string });
    process.kill(host.runtimePid(), "SIGKILL");
    expect(await visit(url, "/gateway")).toEqual(before);
    await host.seen(/runtime back ms=\d+/);
    expect(await visit(url, "/gateway")).toEqual(before);
    expect(guarded(directory)).toEqual(expect.arrayContaining(others));
  });

  it("is killed when it answers nothing any more, and comes back", async () => {
    const { host, url } = await startedHost(temporaryDirectory());
    const wedged = host.runtimePid();
    // Not one that may be sent again: it would wedge the next process too.
    const looping = fetch(`${url}/loop`, { method: "POST", headers: { connection: "close" } });
    await host.seen(/error runtime wedged, restarting misses=2/);
    await host.seen(/runtime back ms=\d+/);
    const answer = await looping;
    expect([answer.status, await answer.json()]).toMatchObject([
      503,
      { errors: [{ code: 130034 }] },
    ]);
    expect(await read(`${url}/healthz`)).toBe("ok");
    expect(host.runtimePid()).not.toBe(wedged);
    expect(await host.kill("SIGTERM")).toBe(0);
  });
});

describe("a gateway process in which code never ends", () => {
  it("is killed and replaced; its request is answered, the API and other processes are not touched", async () => {
    const directory = temporaryDirectory();
    const { host, url } = await startedHost(directory);
    const control = host.runtimePid();
    const looping = visit(url, "/loop", "POST");
    const [, lost] = await host.seen(/gateway lost gateway=(g\d+) kind=pool cause=blocked/);
    expect(await looping).toMatchObject({ status: 502 });
    const next = await visit(url, "/gateway");
    expect(next.status).toBe(200);
    expect(next.body).not.toBe(lost);
    expect(await read(`${url}/healthz`)).toBe("ok");
    expect(host.runtimePid()).toBe(control);
    expect(guarded(directory)).toContain(control);
  });
});

describe("a host that is stopped while one of its processes is wedged", () => {
  it.each(["the control process", "a gateway"])(
    "%s: waits no longer than the drain limit, and exits with 0",
    async (what) => {
      const directory = temporaryDirectory();
      const { host, url } = await startedHost(directory);
      const all = guarded(directory);
      const looping =
        what === "a gateway"
          ? visit(url, "/loop", "POST")
          : fetch(`${url}/loop`, { method: "POST", headers: { connection: "close" } });
      const end = looping.then(
        ({ status }) => status,
        () => "cut off",
      );
      // Answered by the front itself, which has read the request before this one by now.
      await read(`${url}/readyz`);
      expect(await host.kill("SIGTERM")).toBe(0);
      expect(await end).toSatisfy(
        (status) => status === 502 || status === 503 || status === "cut off",
      );
      for (const pid of all) await gone(pid);
      expect(host.stderr).toBe("");
    },
  );
});

describe("a supervisor that is killed", () => {
  it("is started again by the launcher on the same port, with its data, and old processes are gone", async () => {
    const directory = temporaryDirectory();
    const { host, url } = await startedHost(directory);
    expect(await read(`${url}/object`)).toBe("1");
    const all = guarded(directory);
    const parents = readFileSync(`/proc/${host.child.pid}/task/${host.child.pid}/children`, "utf8");
    const [supervisor] = parents.trim().split(" ").map(Number);
    process.kill(supervisor ?? 0, "SIGKILL");
    for (const pid of all) await gone(pid);
    // The listening socket is the launcher's: nobody is refused meanwhile.
    expect(await read(`${url}/object`)).toBe("2");
    expect((await visit(url, "/gateway")).status).toBe(200);
    expect(host.stdout).toContain("error supervisor lost, restarting reason=SIGKILL");
    expect(await host.kill("SIGTERM")).toBe(0);
  });
});

describe("a host that is killed", () => {
  it("takes all its processes with it, and the next one starts on the same port and directory at once", async () => {
    const directory = temporaryDirectory();
    const { host, url } = await startedHost(directory);
    expect(await read(`${url}/object`)).toBe("1");
    const all = guarded(directory);
    expect(all).toContain(host.runtimePid());
    expect(all.length).toBeGreaterThan(2);
    await host.kill("SIGKILL");
    const next = new HostProcess(["--port", new URL(url).port, "--data", directory]);
    expect(await next.url()).toBe(url);
    for (const pid of all) await gone(pid);
    expect(await read(`${url}/object`)).toBe("2");
  });

  it("takes all its processes with it also if no other host follows", async () => {
    const directory = temporaryDirectory();
    const { host } = await startedHost(directory);
    const all = guarded(directory);
    await host.kill("SIGKILL");
    for (const pid of all) await gone(pid);
  });
});

import { spawn } from "node:child_process";
import { connect, createServer } from "node:net";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { openPublicSocket } from "../../src/host/public-socket.ts";
import { HostProcess, temporaryDirectory } from "./host-process.ts";
import { QUEUE, queued, somaxconn } from "./queued-connections.ts";

const LOOPBACK = { host: "127.0.0.1", port: 0, patienceMs: 0 };
const LAUNCHER = fileURLToPath(new URL("fixture-launcher/launcher.ts", import.meta.url));

async function connected(port: number, host = "127.0.0.1"): Promise<void> {
  await new Promise<void>((done, fail) => {
    const socket = connect(port, host, () => {
      socket.destroy();
      done();
    });
    socket.once("error", fail);
  });
}

describe("the public socket", () => {
  it("takes connections from the moment it is open, though nobody accepts", async () => {
    const socket = await openPublicSocket(LOOPBACK, {});
    await connected(socket.port);
    socket.close();
    await expect(connected(socket.port)).rejects.toThrow("ECONNREFUSED");
  });

  it.skipIf(somaxconn() < QUEUE)("has a long queue for who comes meanwhile", async () => {
    const socket = await openPublicSocket(LOOPBACK, {});
    await queued(socket.port);
    socket.close();
  });

  it("for port 0 is below the ports that systems hand out to anybody", async () => {
    const socket = await openPublicSocket(LOOPBACK, {});
    expect(socket.port).toBeGreaterThanOrEqual(20_000);
    expect(socket.port).toBeLessThan(32_768);
    socket.close();
  });

  it.each(["localhost", "[::1]", "::1", "0.0.0.0"])("can be on %s", async (host) => {
    const socket = await openPublicSocket({ ...LOOPBACK, host }, {});
    await connected(socket.port, host.includes(":") ? "::1" : "localhost");
    socket.close();
  });

  it("is nobody else's: not of a server, and not of another launcher", async () => {
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as { port: number };
    await expect(openPublicSocket({ ...LOOPBACK, port }, {})).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken by another program.`,
    );
    server.close();
    const socket = await openPublicSocket(LOOPBACK, {});
    await expect(openPublicSocket({ ...LOOPBACK, port: socket.port }, {})).rejects.toThrow(
      "is taken by another program",
    );
    socket.close();
  });

  it("waits for a port that a dying host still has", async () => {
    const first = await openPublicSocket(LOOPBACK, {});
    const { port } = first;
    const second = openPublicSocket({ ...LOOPBACK, port, patienceMs: 60_000 }, {});
    setTimeout(() => first.close(), 200);
    const socket = await second;
    expect(socket.port).toBe(port);
    socket.close();
  });

  it.each([
    ["192.0.2.1", /^192\.0\.2\.1 is not an address of this machine\./],
    ["no-such-host.invalid", /^no-such-host\.invalid is not an address of this machine\./],
  ])("on %s is refused in one sentence", async (host, text) => {
    await expect(openPublicSocket({ ...LOOPBACK, host }, {})).rejects.toThrow(text);
  });
});

/** Runs the launcher as systemd does: sockets from descriptor 3 on, its own process id in the environment. */
function activated(count: number, fd: number, flags: readonly string[] = []) {
  const directory = temporaryDirectory();
  const script = 'export LISTEN_PID=$$; exec "$@"';
  const args = [process.execPath, LAUNCHER, "--data", directory, ...flags];
  const child = spawn("/bin/sh", ["-c", script, "sh", ...args], {
    env: { PATH: process.env["PATH"], LISTEN_FDS: `${count}` },
    stdio: ["ignore", "pipe", "pipe", fd],
  });
  return new HostProcess(child);
}

describe("a socket that systemd has opened", () => {
  it("is used in place of --host and --port", async () => {
    const socket = await openPublicSocket(LOOPBACK, {});
    const host = activated(1, socket.fd, ["--port", "1"]);
    expect(await host.url()).toBe(`http://127.0.0.1:${socket.port}`);
    await connected(socket.port);
    expect(await host.kill("SIGTERM")).toBe(0);
    // Systemd has it too: whoever comes now waits for the next start.
    await connected(socket.port);
    socket.close();
  });

  it.each([
    [2, "systemd has passed 2 sockets; Switchback takes one."],
    [0, "systemd has passed 0 sockets; Switchback takes one."],
  ])("is refused if there are %i", async (count, text) => {
    const socket = await openPublicSocket(LOOPBACK, {});
    const host = activated(count, socket.fd);
    expect(await host.exited).toBe(1);
    expect(host.stderr).toContain(text);
    socket.close();
  });

  it("is refused if it is a file", async () => {
    const host = activated(1, 0);
    expect(await host.exited).toBe(1);
    expect(host.stderr).toContain("systemd has passed something else than a TCP socket.");
  });
});

/** What of a host can be reached from where: the public port, and nothing else that a stranger could use. */
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { HostProcess } from "./support/host-processes.ts";
import { rawRequest } from "./support/raw-request.ts";
import { TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(() => host.start());
afterAll(() => host.dispose());

/** The TCP sockets on which a process listens, as `<address in hex>:<port>`. */
function listening({ pid }: HostProcess): string[] {
  const all = new Map<string, string>();
  for (const table of ["tcp", "tcp6"]) {
    for (const line of readFileSync(`/proc/net/${table}`, "utf8").trim().split("\n").slice(1)) {
      const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
      const [address, port = ""] = local.split(":");
      if (state === "0A") all.set(inode, `${address}:${Number.parseInt(port, 16)}`);
    }
  }
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`))?.[1] ?? "";
    return all.has(inode) ? [all.get(inode) ?? ""] : [];
  });
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

const LOOPBACK = "0100007F";

describe("a host on one machine", () => {
  test("accepts on the public port: the launcher keeps it, the supervisor answers", () => {
    const mine = `${LOOPBACK}:${host.port}`;
    for (const kind of ["launcher", "supervisor"] as const) {
      expect(host.processes(kind).flatMap(listening)).toContain(mine);
    }
    expect(host.processes("launcher").flatMap(listening)).toEqual([mine]);
  });

  test("has no process that runs deployed code and listens on the network", () => {
    const gateways = host.processes().filter(({ kind }) => kind === "pool" || kind === "trial");
    expect(gateways.length).toBeGreaterThan(2);
    for (const gateway of gateways)
      expect([gateway.name, listening(gateway)]).toEqual([gateway.name, []]);
  });

  test("listens elsewhere only where its runtime insists on a door of its own: on loopback, and nothing is told there", async () => {
    const others = host
      .processes()
      .flatMap((process) => listening(process).map((address) => `${process.kind} ${address}`))
      .filter((line) => !line.endsWith(`:${host.port}`));
    // One of its own for each of the three, and one to Miniflare in the supervisor.
    expect(others.map((line) => line.replace(/\d+$/, "")).toSorted()).toEqual([
      `control ${LOOPBACK}:`,
      `data ${LOOPBACK}:`,
      `sql ${LOOPBACK}:`,
      `supervisor ${LOOPBACK}:`,
      `supervisor ${LOOPBACK}:`,
      `supervisor ${LOOPBACK}:`,
    ]);
    for (const line of others) {
      const port = Number(line.split(":")[1]);
      for (const path of [
        "/client/v4/user",
        "/client/v4/accounts",
        "/cdn-cgi/explorer/api/storage/kv/namespaces",
        "/cdn-cgi/explorer/api/r2/buckets",
        "/cdn-cgi/mf/scheduled",
        "/cdn-cgi/handler/scheduled",
      ]) {
        const answer = await rawRequest(
          port,
          `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
        );
        expect(answer).toMatch(/^HTTP\/1\.1 40\d /);
      }
    }
  });

  test("has its own doors in a directory that is for its user alone", () => {
    const runs = join(host.directory, "run");
    const [run = ""] = readdirSync(runs);
    for (const path of [host.directory, runs, join(runs, run)]) {
      expect([path, statSync(path).mode & 0o777]).toEqual([path, 0o700]);
    }
    const open = new Set<string>();
    const inodes = new Set(
      host
        .processes()
        .flatMap(({ pid }) =>
          readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)),
        ),
    );
    for (const line of readFileSync("/proc/net/unix", "utf8").split("\n")) {
      const [, , , , , , inode = "", path = ""] = line.split(/\s+/);
      if (path !== "" && inodes.has(`socket:[${inode}]`)) open.add(dirname(path));
    }
    expect([...open]).toEqual([join(runs, run)]);
  });
});

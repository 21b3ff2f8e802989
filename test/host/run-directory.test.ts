import {
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeRunDirectory, removeOldRunDirectories } from "../../src/host/run-directory.ts";
import { controlSockets } from "../../src/host/runtime-options.ts";
import { temporaryDirectory } from "./host-process.ts";

/** No system allows less for the path of a socket, in bytes. */
const SOCKET_PATH_BYTES_MAX = 103;

/** A directory whose path has that many bytes. */
function directoryOf(bytes: number): string {
  const parent = temporaryDirectory();
  const path = join(
    parent,
    "ü".repeat(bytes).slice(0, Math.floor((bytes - parent.length - 1) / 2)),
  );
  mkdirSync(path);
  return path;
}

describe("a run directory", () => {
  it("is in the data directory, each time another one, for this user alone", () => {
    const data = temporaryDirectory();
    const [first, second] = [makeRunDirectory(data), makeRunDirectory(data)];
    expect(first.path).not.toBe(second.path);
    for (const { path } of [first, second]) {
      expect(dirname(path)).toBe(join(data, "run"));
      expect(statSync(path).mode & 0o777).toBe(0o700);
    }
    expect(statSync(join(data, "run")).mode & 0o777).toBe(0o700);
    writeFileSync(join(first.path, "g1.capnp"), "");
    first.remove();
    expect(existsSync(first.path)).toBe(false);
    expect(existsSync(second.path)).toBe(true);
    second.remove();
  });

  it("is elsewhere where the data directory's path is too long for sockets, and private there too", () => {
    const run = makeRunDirectory(directoryOf(120));
    expect(dirname(run.path)).toBe(tmpdir());
    expect(statSync(run.path).mode & 0o777).toBe(0o700);
    run.remove();
  });

  it.each([40, 55, 60, 61, 62, 63, 64, 65, 66, 67, 68, 70, 75, 80])(
    "has room for the name of every socket with a data directory of about %i bytes",
    (bytes) => {
      const run = makeRunDirectory(directoryOf(bytes));
      const sockets = ["g999999-in.sock", "supervisor.sock"].map((name) => join(run.path, name));
      for (const socket of [...sockets, ...Object.values(controlSockets(run.path))]) {
        expect(Buffer.byteLength(socket)).toBeLessThanOrEqual(SOCKET_PATH_BYTES_MAX);
      }
      run.remove();
    },
  );
});

describe("what killed hosts have left", () => {
  it("is removed; a host that still drains keeps its own", () => {
    const data = temporaryDirectory();
    const run = join(data, "run");
    // Process ids end below; this process's own is another host's that had the same, as in a container.
    for (const name of ["4194999-aaaaaa", `${process.pid}-bbbbbb`, `${process.ppid}-cccccc`]) {
      mkdirSync(join(run, name), { recursive: true });
    }
    removeOldRunDirectories(data);
    expect(readdirSync(run)).toEqual([`${process.ppid}-cccccc`]);
  });

  it("is removed too from the shared directory, only what is this data directory's", () => {
    const [data, other] = [directoryOf(120), directoryOf(120)];
    const [left, drains, others] = [data, data, other].map((of) => makeRunDirectory(of).path);
    const renamed = (path = "", pid: number) => {
      const to = path.replace(`-${process.pid}-`, `-${pid}-`);
      renameSync(path, to);
      return to;
    };
    const paths = [
      renamed(left, 4_194_999),
      renamed(drains, process.ppid),
      renamed(others, 4_194_999),
    ];
    removeOldRunDirectories(data);
    expect(paths.map((path) => existsSync(path))).toEqual([false, true, true]);
    for (const path of paths) rmSync(path, { recursive: true, force: true });
  });
});

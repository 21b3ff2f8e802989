import { once } from "node:events";
import { copyFileSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { copySnapshot } from "../../src/host/snapshot-copy.ts";
import { isStopped, storageOwners } from "../../src/host/snapshot-owner.ts";
import { whilePaused } from "../../src/host/snapshot-pause.ts";
import { SnapshotSource } from "../../src/host/snapshot.ts";
import { takeSnapshot, type TakenSnapshot } from "../../src/host/snapshot-take.ts";
import { temporaryDirectory } from "./host-process.ts";
import { BLOB, child, dataDirectory, rowsOf, writtenDirectory } from "./snapshot-fixture.ts";

const count = (file: string) => rowsOf(file).length;

/** A snapshot, however many tries it takes: the writer may be stopped in the middle of something. */
async function taken(directory: string): Promise<TakenSnapshot> {
  for (;;) {
    const snapshot = await takeSnapshot(directory);
    if (typeof snapshot !== "string") return snapshot;
  }
}

async function copied(directory: string, snapshot: TakenSnapshot): Promise<string> {
  const target = temporaryDirectory();
  expect(await copySnapshot(snapshot.snapshot, join(directory, "storage"), target)).toBe(undefined);
  snapshot.close();
  return join(target, "do/writer");
}

describe("a snapshot of a directory that is being written to", () => {
  it("is of one instant in all databases, with those that were born just before it", async () => {
    const { directory } = await writtenDirectory();
    for (let round = 0; round < 12; round++) {
      const snapshot = await taken(directory);
      const paths = snapshot.snapshot.databases.map(({ path }) => path);
      const copy = await copied(directory, snapshot);
      const [first, second] = [
        count(join(copy, "first.sqlite")),
        count(join(copy, "second.sqlite")),
      ];
      expect(first).toBeGreaterThan(0);
      expect([0, 1]).toContain(first - second);
      // Every one but the last has been finished.
      for (let n = 20; n < Math.min(first, 2_000); n += 20) {
        expect(paths).toContain(`do/writer/born-${n}.sqlite`);
        expect(count(join(copy, `born-${n}.sqlite`))).toBe(1);
      }
    }
  });

  it("is copied as it was, however much is written before the copy is made", async () => {
    const { directory } = await writtenDirectory();
    const live = join(directory, "storage/do/writer/first.sqlite");
    const snapshot = await taken(directory);
    const then = snapshot.snapshot.databases
      .flatMap((each) => ("connection" in each && each.path.endsWith("first.sqlite") ? each : []))
      .map(({ connection }) => Number(connection.prepare("SELECT max(n) AS n FROM t").get()?.["n"]))
      .reduce((a, b) => a + b);
    while (count(live) < then + 2_000) await new Promise((done) => setTimeout(done, 5));
    expect(count(join(await copied(directory, snapshot), "first.sqlite"))).toBe(then);
  });

  it("can be taken by several at once", async () => {
    const { directory } = await writtenDirectory();
    const copies = await Promise.all(
      Array.from({ length: 4 }, async () => copied(directory, await taken(directory))),
    );
    for (const copy of copies) {
      expect([0, 1]).toContain(
        count(join(copy, "first.sqlite")) - count(join(copy, "second.sqlite")),
      );
    }
  });
});

describe("a process that is paused", () => {
  const paused = async () => {
    const { writer } = await writtenDirectory();
    return writer.pid ?? 0;
  };
  const goesOn = async (pid: number) => {
    while (isStopped(pid)) await new Promise((done) => setTimeout(done, 5));
  };

  it("stands still in all its threads during the step, and goes on after it", async () => {
    const pid = await paused();
    const result = await whilePaused([pid], () => isStopped(pid));
    expect(result?.value).toBe(true);
    await goesOn(pid);
  });

  it("goes on if the step fails", async () => {
    const pid = await paused();
    const failing = whilePaused([pid], () => {
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await goesOn(pid);
  });

  it("goes on by itself if the step takes too long, whose result is then worth nothing", async () => {
    const pid = await paused();
    const result = await whilePaused([pid], () => {
      while (isStopped(pid));
      return "late";
    });
    expect(result).toBe(undefined);
    await goesOn(pid);
  });

  it("goes on if who paused it is killed meanwhile", async () => {
    const pid = await paused();
    const script = join(temporaryDirectory(), "killed.ts");
    const module = new URL("../../src/host/snapshot-pause.ts", import.meta.url).href;
    writeFileSync(
      script,
      `import { whilePaused } from ${JSON.stringify(module)};
       await whilePaused([${pid}], () => process.kill(process.pid, "SIGKILL"));`,
    );
    const [, signal] = (await once(child(script), "exit")) as [unknown, string];
    expect(signal).toBe("SIGKILL");
    await goesOn(pid);
  });

  it("proves nothing if it ended", async () => {
    const { writer } = await writtenDirectory();
    const ended = once(writer, "exit");
    writer.kill("SIGKILL");
    await ended;
    expect(await whilePaused([writer.pid ?? 0], () => "value")).toBe(undefined);
  });
});

describe("the owner of a storage", () => {
  it("is the one process named in runtime.pid that has the storage open", async () => {
    const { directory, writer } = await writtenDirectory();
    expect(storageOwners(directory)).toEqual([writer.pid]);
    writeFileSync(join(directory, "runtime.pid"), `${process.pid}\n${writer.pid}\n`);
    expect(storageOwners(directory)).toEqual([writer.pid]);
  });

  it("is nobody if the process id belongs to something else by now", () => {
    const directory = dataDirectory();
    writeFileSync(join(directory, "runtime.pid"), `${process.pid}\n`);
    expect(storageOwners(directory)).toEqual([]);
  });
});

describe("a snapshot of a stopped host's directory", () => {
  it("pauses nobody, and lets a host start as soon as it is taken", async () => {
    const directory = dataDirectory();
    const snapshot = await taken(directory);
    expect(snapshot.pausedMs).toBe(null);
    const lock = new DatabaseSync(join(directory, "lock"), { timeout: 0 });
    lock.exec("BEGIN EXCLUSIVE");
    lock.close();
    snapshot.close();
  });

  it("is not taken while a host runs whose runtime is not to be seen", async () => {
    const directory = dataDirectory();
    const host = new DatabaseSync(join(directory, "lock"));
    host.exec("BEGIN EXCLUSIVE");
    expect(await takeSnapshot(directory)).toBe("owner_not_seen");
    host.close();
  });

  it("names a blob that went after it was taken, so that another one is taken", async () => {
    const directory = dataDirectory();
    const storage = join(directory, "storage");
    const snapshot = await taken(directory);
    rmSync(join(storage, "r2/bucket/blobs", BLOB));
    const target = temporaryDirectory();
    expect(await copySnapshot(snapshot.snapshot, storage, target)).toEqual({
      path: `r2/objects/a.sqlite: ${BLOB}`,
      why: "blob_missing",
    });
    snapshot.close();
  });

  it("has a database that was made anew under its name, not the one before", async () => {
    const directory = dataDirectory();
    mkdirSync(join(directory, "storage/do/x"), { recursive: true });
    const file = join(directory, "storage/do/x/a.sqlite");
    const make = (n: number) => {
      rmSync(file, { force: true });
      const database = new DatabaseSync(file);
      database.exec(`PRAGMA journal_mode = WAL; CREATE TABLE t (n); INSERT INTO t VALUES (${n})`);
      database.close();
    };
    make(1);
    const source = new SnapshotSource(join(directory, "storage"));
    source.prepare(new Set([file]));
    for (const beside of ["-wal", "-shm"]) rmSync(file + beside, { force: true });
    make(2);
    const [found] = source
      .take(new Set([file]))
      .databases.flatMap((each) =>
        "connection" in each && each.path === "do/x/a.sqlite" ? each : [],
      );
    expect({ ...found?.connection.prepare("SELECT n FROM t").get() }).toEqual({ n: 2 });
    source.close();
  });

  it("notices a write to a database that was idle, and keeps to what was there", async () => {
    const directory = dataDirectory();
    const file = join(directory, "storage/d1/x/history.sqlite");
    // Long ago.
    utimesSync(file, 1_000, 1_000);
    const write = (pragma: string) => {
      const database = new DatabaseSync(file);
      database.exec("INSERT INTO t VALUES (8)");
      database.exec(pragma);
      return database;
    };
    const early = await taken(directory);
    const written = write("PRAGMA cache_size = 100");
    const target = temporaryDirectory();
    const storage = join(directory, "storage");
    // In the log only, so far: the file itself is as it was.
    expect(await copySnapshot(early.snapshot, storage, target)).toBe(undefined);
    expect(rowsOf(join(target, "d1/x/history.sqlite"))).toEqual([{ n: 7 }]);
    early.close();
    written.close();
    utimesSync(file, 1_000, 1_000);
    const late = await taken(directory);
    write("PRAGMA wal_checkpoint").close();
    expect(await copySnapshot(late.snapshot, storage, temporaryDirectory())).toEqual({
      path: "d1/x/history.sqlite",
      why: "database_written",
    });
    late.close();
  });

  it.each([
    ["log", "WAL", "-wal", [{ n: 7 }, { n: 8 }]],
    ["journal", "DELETE", "-journal", [{ n: 7 }]],
  ])("has what a killed runtime left in a %s", async (_, mode, suffix, rows) => {
    const directory = dataDirectory();
    const storage = join(directory, "storage");
    const file = join(storage, "d1/x/history.sqlite");
    const database = new DatabaseSync(file);
    database.exec(`PRAGMA journal_mode = ${mode}; PRAGMA wal_autocheckpoint = 0`);
    // A transaction that has begun to spill, and is not finished in the journal's case.
    database.exec("PRAGMA cache_size = 1; BEGIN; INSERT INTO t VALUES (8)");
    if (mode === "WAL") database.exec("COMMIT");
    else database.exec("CREATE TABLE big AS SELECT randomblob(4000) FROM t a, t b, t c, t d, t e");
    for (const each of ["", suffix]) {
      copyFileSync(file + each, join(storage, `left.sqlite${each}`));
      utimesSync(join(storage, `left.sqlite${each}`), 1_000, 1_000);
    }
    database.close();
    const snapshot = await taken(directory);
    const target = temporaryDirectory();
    expect(await copySnapshot(snapshot.snapshot, storage, target)).toBe(undefined);
    expect(readdirSync(target).filter((name) => name.startsWith("left"))).toEqual(["left.sqlite"]);
    expect(rowsOf(join(target, "left.sqlite"))).toEqual(rows);
    snapshot.close();
  });

  it("waits for a database that is just being made", async () => {
    const directory = dataDirectory();
    const young = join(directory, "storage/d1/x/young.sqlite");
    writeFileSync(young, "");
    expect(await takeSnapshot(directory)).toBe("not_still");
    rmSync(young);
    (await taken(directory)).close();
  });
});

import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { backUp } from "../../src/host/backup.ts";
import { restore } from "../../src/host/restore.ts";
import { temporaryDirectory } from "./host-process.ts";
import {
  BLOB,
  child,
  contentsOf,
  dataDirectory,
  INSTALLATION,
  rowsOf,
  writtenDirectory,
} from "./snapshot-fixture.ts";

const MAIN = fileURLToPath(new URL("../../src/host/backup-main.ts", import.meta.url));

async function backedUp(directory: string, force = false, folder = temporaryDirectory()) {
  const out = join(folder, "backup.tar.gz");
  return backUp({ dataDirectory: directory, out, force, version: "1.2.3" });
}

async function run(...args: string[]) {
  const command = child(MAIN, ...args);
  let output = "";
  for (const stream of [command.stdout, command.stderr]) {
    stream?.on("data", (chunk) => (output += chunk));
  }
  const [code] = (await once(command, "close")) as [number];
  return { code, output };
}

describe("a backup", () => {
  it("is one file that this user alone can read, and says what it is", async () => {
    const { file, manifest, pausedMs } = await backedUp(dataDirectory());
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(manifest).toMatchObject({ format: 1, switchback: "1.2.3", account_id: "acc1" });
    expect(pausedMs).toBe(null);
    expect(readdirSync(join(file, ".."))).toEqual(["backup.tar.gz"]);
  });

  it("has the installation's key, databases, other files and the blobs that are named; nothing else", async () => {
    const { file } = await backedUp(dataDirectory());
    const target = temporaryDirectory();
    await restore({ dataDirectory: target, from: file });
    const { lock, ...contents } = contentsOf(target);
    expect(lock).toBeDefined();
    expect(contents).toEqual({
      "installation.json": INSTALLATION,
      "storage/d1/x/.keep": "",
      "storage/d1/x/history.sqlite": [{ n: 7 }],
      "storage/r2/objects/a.facets": "facet list",
      "storage/r2/objects/a.sqlite": [
        { key: "m", blob_id: BLOB },
        { key: "parts", blob_id: null },
      ],
      [`storage/r2/bucket/blobs/${BLOB}`]: "module code",
    });
  });

  it("changes nothing in the directory, and leaves what it copied by name to it", async () => {
    const directory = dataDirectory();
    const before = contentsOf(directory);
    await backedUp(directory);
    const { lock, "backup.lock": own, ...after } = contentsOf(directory);
    expect([lock, own]).toEqual(["", ""]);
    expect(after).toEqual(before);
  });

  it("of a directory that is written to is of one instant", async () => {
    const { directory } = await writtenDirectory();
    const { file, pausedMs } = await backedUp(directory);
    expect(pausedMs).toBeGreaterThan(0);
    const target = temporaryDirectory();
    await restore({ dataDirectory: target, from: file });
    const count = (name: string) => rowsOf(join(target, "storage/do/writer", name)).length;
    expect([0, 1]).toContain(count("first.sqlite") - count("second.sqlite"));
  });

  it("never replaces a file, unless it is told to", async () => {
    const directory = dataDirectory();
    const folder = temporaryDirectory();
    const out = join(folder, "backup.tar.gz");
    writeFileSync(out, "precious");
    await expect(backedUp(directory, false, folder)).rejects.toThrow("already there");
    expect(readFileSync(out, "utf8")).toBe("precious");
    await backedUp(directory, true, folder);
    await restore({ dataDirectory: temporaryDirectory(), from: out });
  });

  it("of two that make the same file, one is refused", async () => {
    const directory = dataDirectory();
    const folder = temporaryDirectory();
    const ends = await Promise.allSettled([
      backedUp(directory, false, folder),
      backedUp(directory, false, folder),
    ]);
    expect(ends.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(ends.map((end) => String("reason" in end && end.reason)).join()).toContain(
      "already there",
    );
    expect(readdirSync(folder)).toEqual(["backup.tar.gz"]);
  });
});

describe("a backup that is refused leaves nothing behind", () => {
  const refused = async (directory: string, reason: RegExp) => {
    const folder = temporaryDirectory();
    await expect(backedUp(directory, false, folder)).rejects.toThrow(reason);
    expect(readdirSync(folder)).toEqual([]);
  };

  it("of what is no data directory, which is not touched", async () => {
    const directory = temporaryDirectory();
    await refused(directory, /is not the data directory of a Switchback/);
    expect(readdirSync(directory)).toEqual([]);
    await refused(join(directory, "nowhere"), /is not the data directory/);
    expect(existsSync(join(directory, "nowhere"))).toBe(false);
  });

  it("of a damaged database", async () => {
    const directory = dataDirectory();
    const file = join(directory, "storage/d1/x/history.sqlite");
    const bytes = readFileSync(file);
    bytes.fill(0xff, 4_096);
    writeFileSync(file, bytes);
    await refused(directory, /history\.sqlite is damaged/);
  });

  it("of a storage that has lost a blob", async () => {
    const directory = dataDirectory();
    rmSync(join(directory, "storage/r2/bucket/blobs", BLOB));
    await refused(directory, /storage is damaged: the bytes that .*0123456789abcdef/);
  });
});

describe("npm run backup", () => {
  it("says in one line what it made", async () => {
    const out = join(temporaryDirectory(), "b.tar.gz");
    const { code, output } = await run("--data", dataDirectory(), "--out", out);
    expect(output).toMatch(
      /^.*b\.tar\.gz holds account acc1 as of \S+: 6 files; no runtime ran\.\n$/,
    );
    expect(code).toBe(0);
  });

  it("exits with 1 and one line if it is refused, with 2 if it is not understood", async () => {
    const refused = await run("--data", temporaryDirectory(), "--out", "/nowhere/b");
    expect(refused).toEqual({ code: 1, output: expect.stringMatching(/^switchback: .*\n$/) });
    const unwritable = await run("--data", dataDirectory(), "--out", "/nowhere/b");
    expect(unwritable).toEqual({
      code: 1,
      output: expect.stringMatching(/^switchback: ENOENT.*\n$/),
    });
    expect((await run("--nonsense")).code).toBe(2);
    expect((await run("--data=", "--out", "b")).code).toBe(2);
    expect((await run()).code).toBe(2);
  });
});

import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { create } from "tar";
import { beforeAll, describe, expect, it } from "vitest";
import { backUp } from "../../src/host/backup.ts";
import { restore } from "../../src/host/restore.ts";
import { temporaryDirectory } from "./host-process.ts";
import { child, contentsOf, dataDirectory } from "./snapshot-fixture.ts";

const MAIN = fileURLToPath(new URL("../../src/host/restore-main.ts", import.meta.url));

async function backedUp(): Promise<string> {
  const out = join(temporaryDirectory(), "backup.tar.gz");
  await backUp({ dataDirectory: dataDirectory(), out, force: false, version: "1.2.3" });
  return out;
}

/** Into a directory that is not there; it has to stay so. */
async function refused(from: string, reason: RegExp): Promise<void> {
  const parent = temporaryDirectory();
  const dataDirectory = join(parent, "data");
  await expect(restore({ dataDirectory, from })).rejects.toThrow(reason);
  expect(readdirSync(parent)).toEqual([]);
}

describe("a restore", () => {
  it("is refused by a directory that holds anything, which stays as it is", async () => {
    const from = await backedUp();
    const target = temporaryDirectory();
    mkdirSync(join(target, "storage"));
    await expect(restore({ dataDirectory: target, from })).rejects.toThrow(
      /is not empty \(it holds storage\)/,
    );
    expect(readdirSync(target)).toEqual(["storage"]);
  });

  it("is refused by a directory in which a host is just starting", async () => {
    const from = await backedUp();
    const target = temporaryDirectory();
    const host = new DatabaseSync(join(target, "lock"));
    host.exec("BEGIN EXCLUSIVE");
    await expect(restore({ dataDirectory: target, from })).rejects.toThrow(/in use by another/);
    host.close();
    expect(readdirSync(target)).toEqual(["lock"]);
  });

  it("goes into an empty directory, which may be a volume of its own", async () => {
    const target = temporaryDirectory();
    mkdirSync(join(target, "lost+found"));
    const { account_id } = await restore({ dataDirectory: target, from: await backedUp() });
    expect(account_id).toBe("acc1");
    expect(readdirSync(target).toSorted()).toEqual([
      "installation.json",
      "lock",
      "lost+found",
      "storage",
    ]);
  });

  it("that was cut short is not taken for an empty directory", async () => {
    const target = temporaryDirectory();
    mkdirSync(join(target, "restoring"));
    await expect(restore({ dataDirectory: target, from: await backedUp() })).rejects.toThrow(
      /left from a restore that was cut short/,
    );
  });
});

describe("what is no whole backup is refused, and nothing is left of it", () => {
  let whole = Buffer.alloc(0);
  let contents: Record<string, unknown> = {};
  beforeAll(async () => {
    whole = readFileSync(await backedUp());
    const target = temporaryDirectory();
    const file = join(temporaryDirectory(), "whole");
    writeFileSync(file, whole);
    await restore({ dataDirectory: target, from: file });
    contents = contentsOf(target);
  });

  const given = (bytes: Uint8Array) => {
    const file = join(temporaryDirectory(), "backup");
    writeFileSync(file, bytes);
    return file;
  };

  it("cut off anywhere", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length - 1 }), async (length) => {
        await refused(given(whole.subarray(0, length)), /is no whole backup of Switchback/);
      }),
      { numRuns: 40 },
    );
  });

  it("with one byte changed anywhere, or it is restored as it was", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: whole.length - 1 }),
        fc.integer({ min: 1, max: 255 }),
        async (at, change) => {
          const bytes = Buffer.from(whole);
          bytes[at] = (bytes[at] ?? 0) ^ change;
          const target = temporaryDirectory();
          try {
            await restore({ dataDirectory: target, from: given(bytes) });
          } catch (error) {
            expect(String(error)).toMatch(/is no whole backup of Switchback/);
            expect(readdirSync(target)).toEqual([]);
            return;
          }
          expect(contentsOf(target)).toEqual(contents);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("something else altogether", async () => {
    await refused(given(Buffer.from("hello")), /is no whole backup/);
    await refused(join(temporaryDirectory(), "none"), /There is no backup/);
  });

  describe("made by hand", () => {
    interface Made {
      readonly files?: Record<string, string>;
      /** Changes what is said of the files. */
      readonly manifest?: object;
      readonly link?: string;
    }
    const archive = async ({ files = {}, manifest = {}, link }: Made) => {
      const folder = temporaryDirectory();
      const all: Record<string, string> = { "installation.json": "{}", ...files };
      const listed = Object.entries(all).map(([path, text]) => ({
        path,
        size: text.length,
        sha256: createHash("sha256").update(text).digest("hex"),
      }));
      all["manifest.json"] = JSON.stringify({
        format: 1,
        switchback: "1.2.3",
        created: "2026-01-01T00:00:00.000Z",
        account_id: "acc1",
        files: listed,
        ...manifest,
      });
      for (const [path, text] of Object.entries(all)) {
        mkdirSync(dirname(join(folder, path)), { recursive: true });
        writeFileSync(join(folder, path), text);
      }
      if (link !== undefined) symlinkSync("/etc", join(folder, link));
      const file = join(temporaryDirectory(), "made");
      const names = [...Object.keys(all), ...(link === undefined ? [] : [link])];
      await create({ file, cwd: folder, gzip: true, preservePaths: true }, names);
      return file;
    };

    it("as it should be is restored", async () => {
      const target = temporaryDirectory();
      await restore({ dataDirectory: target, from: await archive({}) });
    });

    it.each<[string, Made, RegExp]>([
      [
        "of a newer format",
        { manifest: { format: 2 } },
        /made by a newer Switchback \(format 2; this one knows 1\)/,
      ],
      [
        "of a newer format with other files",
        { manifest: { format: 2 }, files: { other: "x" } },
        /newer Switchback/,
      ],
      ["of no format", { manifest: { format: "1" } }, /its manifest is not one/],
      ["whose manifest lists nothing", { manifest: { files: [] } }, /its manifest is not one/],
      [
        "with a file that is not listed",
        {
          files: { "storage/a": "x" },
          manifest: {
            files: [
              {
                path: "installation.json",
                size: 2,
                sha256: createHash("sha256").update("{}").digest("hex"),
              },
            ],
          },
        },
        /storage\/a, which its manifest does not know/,
      ],
      [
        "without a file that is listed",
        {
          manifest: {
            files: [
              {
                path: "installation.json",
                size: 2,
                sha256: createHash("sha256").update("{}").digest("hex"),
              },
              { path: "storage/gone", size: 1, sha256: "0" },
            ],
          },
        },
        /storage\/gone is missing/,
      ],
      [
        "with a file that is another",
        { manifest: { files: [{ path: "installation.json", size: 2, sha256: "0" }] } },
        /installation\.json is not what was backed up/,
      ],
      [
        "with a file that belongs to nobody",
        { files: { "host.pid": "1" } },
        /its manifest is not one|it holds "host\.pid"/,
      ],
      ["that leads elsewhere", { files: { "storage/../../evil": "x" } }, /no whole backup/],
      ["with a link", { link: "storage-link" }, /it holds "storage-link"/],
    ])("%s", async (_, made, reason) => {
      await refused(await archive(made), reason);
    });
  });
});

describe("npm run restore", () => {
  it("says in one line what it made, for this user alone; exits with 1 if it is refused, 2 if not understood", async () => {
    const target = join(temporaryDirectory(), "data");
    const run = async (...args: string[]) => {
      const command = child(MAIN, ...args);
      let output = "";
      for (const stream of [command.stdout, command.stderr]) {
        stream?.on("data", (chunk) => (output += chunk));
      }
      const [code] = (await once(command, "close")) as [number];
      return { code, output };
    };
    const from = await backedUp();
    const made = await run("--data", target, "--from", from);
    expect(made.output).toMatch(
      /holds account acc1 as of \S+ \(Switchback 1\.2\.3, 6 files\)\. Start it with/,
    );
    expect(made.code).toBe(0);
    const again = await run("--data", target, "--from", from);
    expect(again).toEqual({
      code: 1,
      output: expect.stringMatching(/^switchback: .*not empty.*\n$/),
    });
    expect((await run("--data", target)).code).toBe(2);
  });
});

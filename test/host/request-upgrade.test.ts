import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { openDataDirectory, type DataDirectory } from "../../src/host/data-directory.ts";
import { renewScript, requestUpgrade } from "../../src/host/request-upgrade.ts";
import { UPGRADE_FILE } from "../../src/host/run-launcher.ts";
import { temporaryDirectory } from "./host-process.ts";

const held: DataDirectory[] = [];

afterEach(() => {
  process.removeAllListeners("SIGUSR2");
  for (const directory of held.splice(0)) directory.release();
});

/** A data directory as a host leaves it that was killed: this process's id, and nobody's lock. */
function abandoned(): string {
  const path = temporaryDirectory();
  writeFileSync(join(path, "installation.json"), "{}");
  writeFileSync(join(path, "host.pid"), `${process.pid}\n`);
  return path;
}

/** A data directory that this process holds; a request to upgrade gets that answer. */
function running(answer: object): string {
  const path = temporaryDirectory();
  writeFileSync(join(path, "installation.json"), "{}");
  held.push(openDataDirectory(path));
  process.on("SIGUSR2", () => writeFileSync(join(path, UPGRADE_FILE), JSON.stringify(answer)));
  return path;
}

describe("a request to upgrade", () => {
  it("has the code renewed first, and gives the launcher's process id", async () => {
    const path = running({ upgraded: true });
    let asked: boolean | undefined;
    const pid = await requestUpgrade(path, async () => {
      asked = existsSync(join(path, UPGRADE_FILE));
    });
    expect(pid).toBe(process.pid);
    expect(asked).toBe(false);
  });

  it("says why the host goes on as it was", async () => {
    const path = running({ upgraded: false, reason: "No." });
    await expect(requestUpgrade(path)).rejects.toThrow("what ran goes on as it was: No.");
  });

  it("is refused while another is made, which gets its own answer", async () => {
    const path = running({ upgraded: true });
    let second: unknown;
    const first = requestUpgrade(path, async () => {
      const builds = () => Promise.reject(new Error("must not build"));
      second = await requestUpgrade(path, builds).catch((error: unknown) => error);
    });
    expect(await first).toBe(process.pid);
    expect(String(second)).toContain(`Another npm run upgrade of ${path} is under way`);
    expect(await requestUpgrade(path)).toBe(process.pid);
  });

  it("changes nothing where no host runs, nor the traces of one that was killed", async () => {
    let renewed = 0;
    const renew = async () => void renewed++;
    const [empty, killed] = [temporaryDirectory(), abandoned()];
    for (const path of [empty, killed]) {
      await expect(requestUpgrade(path, renew)).rejects.toThrow(`No Switchback runs on ${path}.`);
    }
    expect(renewed).toBe(0);
    expect(readdirSync(empty)).toEqual([]);
    expect(openedUnclean(killed)).toBe(true);
  });

  it("does not signal a host that ended while the code was renewed", async () => {
    const path = running({ upgraded: true });
    const renew = async () => held.splice(0).forEach((directory) => directory.release());
    await expect(requestUpgrade(path, renew)).rejects.toThrow("No Switchback runs");
    expect(existsSync(join(path, UPGRADE_FILE))).toBe(false);
  });
});

describe("the Worker's script", () => {
  const OLD = "export default { old: 1 };\n";
  const NEW = "export default { fetch: () => new Response() };\n";

  function built(): { directory: string; file: string } {
    const directory = join(temporaryDirectory(), "dist");
    return { directory, file: join(directory, "switchback.js") };
  }

  async function renewed(file: string, script: string) {
    await renewScript(file, (beside) => {
      writeFileSync(beside, script);
      writeFileSync(`${beside}.map`, "the map");
    });
  }

  it("is put in place with its map, readable by all though what commands write is private", async () => {
    const { directory, file } = built();
    const umask = process.umask(0o077);
    try {
      await renewed(file, OLD);
      await renewed(file, NEW);
      expect(process.umask()).toBe(0o077);
    } finally {
      process.umask(umask);
    }
    expect(readFileSync(file, "utf8")).toBe(NEW);
    expect(readFileSync(`${file}.map`, "utf8")).toBe("the map");
    for (const path of [file, `${file}.map`]) expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(statSync(directory).mode & 0o777).toBe(0o755);
    expect(readdirSync(join(directory, ".."))).toEqual(["dist"]);
  });

  it("stays as it was, in one sentence, if the build fails or the runtime cannot load what it made", async () => {
    const { directory, file } = built();
    await renewed(file, OLD);
    const failing = renewScript(file, (beside) => {
      writeFileSync(beside, "half");
      throw new Error("Command failed: npm run build");
    });
    await expect(failing).rejects.toThrow(/^The build failed, and nothing was changed\.$/);
    await expect(renewed(file, 'throw new Error("broken");')).rejects.toThrow(
      /^The new build does not load, and nothing was changed: .*broken/,
    );
    expect(readFileSync(file, "utf8")).toBe(OLD);
    expect(readdirSync(join(directory, ".."))).toEqual(["dist"]);
  });
});

function openedUnclean(path: string): boolean {
  const directory = openDataDirectory(path);
  held.push(directory);
  return directory.unclean;
}

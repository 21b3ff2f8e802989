import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { parseSettings, type Settings } from "../src/host/settings.ts";

const ROOT = resolve(import.meta.dirname, "..");
const RELEASE = "/opt/switchback/current";
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const manifest = JSON.parse(read("package.json")) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

/** `Section.Key` → its values, in the order of the file. */
function unit(path: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  let section = "";
  for (const line of read(path).split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const header = /^\[(\w+)\]$/.exec(line);
    if (header) {
      section = header[1] ?? "";
      continue;
    }
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (key === undefined) throw new Error(`${path}: ${line}`);
    const name = `${section}.${key}`;
    found.set(name, [...(found.get(name) ?? []), value ?? ""]);
  }
  return found;
}

function settingsOf(argv: readonly string[], env: Record<string, string> = {}): Settings {
  const settings = parseSettings(argv, env);
  if (settings === "help") throw new Error("asks for help");
  return settings;
}

describe("the systemd unit", () => {
  const service = unit("packaging/switchback.service");
  const [program, entry, ...argv] = (service.get("Service.ExecStart")?.[0] ?? "").split(" ");

  it("starts the launcher of a release with flags that exist, over its state directory", () => {
    expect(program).toBe(`${RELEASE}/node_modules/.bin/node`);
    expect(existsSync(join(ROOT, (entry ?? "").replace(RELEASE, "")))).toBe(true);
    expect(entry).toBe(`${RELEASE}/src/host/main.ts`);
    const directory = `/var/lib/${service.get("Service.StateDirectory")?.[0]}`;
    expect(settingsOf(argv).dataDirectory).toBe(directory);
  });

  it("upgrades on reload, and lets requests finish on stop", () => {
    expect(service.get("Service.ExecReload")).toEqual(["/bin/kill -USR2 $MAINPID"]);
    // To all processes at once, SIGTERM would end gateways under their requests.
    expect(service.get("Service.KillMode")).toEqual(["mixed"]);
    const stopMs = Number(service.get("Service.TimeoutStopSec")?.[0]) * 1_000;
    expect(stopMs).toBeGreaterThan(settingsOf(argv).drainMs);
  });

  it("is started again after a failure, but not after wrong usage", () => {
    expect(service.get("Service.Restart")).toEqual(["on-failure"]);
    expect(service.get("Service.RestartPreventExitStatus")).toEqual(["2"]);
  });

  it("names a document that exists", () => {
    const [page] = service.get("Unit.Documentation") ?? [];
    expect(existsSync(join(ROOT, (page ?? "").replace(`file://${RELEASE}`, "")))).toBe(true);
  });

  it("gets one socket, on which it accepts itself, at the default address", () => {
    const socket = unit("packaging/switchback.socket");
    const { host, port } = settingsOf([]);
    expect(socket.get("Socket.ListenStream")).toEqual([`${host}:${port}`]);
    expect(socket.has("Socket.Accept")).toBe(false);
  });
});

describe("systemd itself", () => {
  const directories: string[] = [];
  afterEach(() => {
    for (const path of directories.splice(0)) rmSync(path, { recursive: true });
  });

  it.skipIf(spawnSync("systemd-analyze", ["--version"]).status !== 0)(
    "finds nothing to say about the units",
    () => {
      const directory = mkdtempSync(join(tmpdir(), "switchback-units-"));
      directories.push(directory);
      // The program and the user are there only once Switchback is installed.
      const service = read("packaging/switchback.service")
        .replace(`${RELEASE}/node_modules/.bin/node`, process.execPath)
        .replace(/^(User|Group)=.*$/gm, "$1=root");
      writeFileSync(join(directory, "switchback.service"), service);
      writeFileSync(join(directory, "switchback.socket"), read("packaging/switchback.socket"));
      const units = ["switchback.service", "switchback.socket"].map((name) =>
        join(directory, name),
      );
      const { status, stderr } = spawnSync("systemd-analyze", ["verify", ...units], {
        encoding: "utf8",
      });
      const about = stderr.split("\n").filter((line) => line.includes("switchback"));
      expect({ status, about }).toEqual({ status: 0, about: [] });
    },
  );
});

describe("the container image", () => {
  const lines = read("Dockerfile").replaceAll("\\\n", " ").split("\n");
  const instruction = (name: string) =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1));
  const copied = instruction("COPY")
    .filter((line) => !line.startsWith("--from"))
    .flatMap((line) => line.split(" ").slice(0, -1))
    .map((path) => path.replace(/^\.\//, ""));

  it("copies what exists and what .dockerignore lets through", () => {
    const kept = read(".dockerignore")
      .split("\n")
      .filter((line) => line.startsWith("!"))
      .map((line) => line.slice(1));
    expect(new Set(copied)).toEqual(new Set(kept));
    for (const path of copied) expect(existsSync(join(ROOT, path)), path).toBe(true);
  });

  it("starts the launcher as a user without privileges, with settings that exist", () => {
    const [program, entry, ...argv] = JSON.parse(instruction("ENTRYPOINT")[0] ?? "") as string[];
    expect(program).toBe("node");
    expect(existsSync(join(ROOT, entry ?? ""))).toBe(true);
    expect(instruction("USER")).toEqual(["node"]);
    const env = Object.fromEntries(
      instruction("ENV").flatMap((line) => line.split(" ").map((pair) => pair.split("=", 2))),
    ) as Record<string, string>;
    const settings = settingsOf(argv, env);
    expect(instruction("VOLUME")).toEqual([settings.dataDirectory]);
    expect(instruction("EXPOSE")).toEqual([`${settings.port}`]);
    expect(settings.host).toBe("0.0.0.0");
    const unknown = Object.keys(env).filter(
      (name) => !read("docs/operations.md").includes(`\`${name}\``),
    );
    expect(unknown).toEqual([]);
  });

  it("asks for its health with a program that says 0 for 200 and 1 for anything else", async () => {
    const command = /CMD (\[.*\])/.exec(instruction("HEALTHCHECK")[0] ?? "")?.[1] ?? "";
    const [, ...args] = JSON.parse(command) as string[];
    // Nobody listens on port 1.
    const env = { ...process.env, SWITCHBACK_PORT: "1" };
    expect(spawnSync(process.execPath, args, { env }).status).toBe(1);
    expect(args.join(" ")).toContain("/readyz`");
  });

  it("has the newest Node that the repository pins", () => {
    const major = manifest.devDependencies["node"]?.split(".", 1)[0];
    const images = instruction("FROM").map((line) => line.split(" ", 1)[0]);
    expect(new Set(images)).toEqual(new Set([`node:${major}-slim`]));
  });
});

describe("an installation without development dependencies", () => {
  it("has everything that the host imports", () => {
    const needed = new Set<string>();
    const folder = join(ROOT, "src/host");
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      if (!name.endsWith(".ts") || name.endsWith(".d.ts")) continue;
      for (const [, specifier = ""] of readFileSync(join(folder, name), "utf8").matchAll(
        /^(?:import|\} from)[^"\n]*"([^".][^"]*)"/gm,
      )) {
        if (!specifier.startsWith("node:")) needed.add(specifier);
      }
    }
    expect(needed.size).toBeGreaterThan(0);
    expect([...needed].filter((name) => builtinModules.includes(name))).toEqual([]);
    expect([...needed].filter((name) => !(name in manifest.dependencies))).toEqual([]);
  });
});

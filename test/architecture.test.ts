import { readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "..");
const SRC = join(ROOT, "src");
/** Soft limits are for reviewers; this one nobody passes. */
const FILE_LINES_MAX = 400;

/** Which folders of src a folder may import from, besides itself. The root's files compose everything. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  domain: [],
  observability: [],
  store: ["domain"],
  data: ["domain", "observability"],
  injected: [],
  control: ["domain", "store", "data", "observability"],
  api: ["domain", "store", "control", "observability"],
  gateway: ["domain", "data", "observability"],
  host: ["domain"],
};

/** Computations that others keep; they read no clock unless they are asked to. */
const PURE_PACKAGES = new Set(["structured-headers", "croner"]);

interface SourceFile {
  readonly path: string;
  readonly folder: string;
  readonly text: string;
  readonly imports: readonly string[];
}

function sources(folder = SRC): SourceFile[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return sources(path);
    if (!name.endsWith(".ts")) return [];
    const text = readFileSync(path, "utf8");
    const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, "").replaceAll(/^\s*\/\/.*$/gm, "");
    const imports = [...code.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((m) => m[1] ?? "");
    return [
      { path, folder: relative(SRC, path).split("/").slice(0, -1)[0] ?? "", text: code, imports },
    ];
  });
}

const files = sources();
const local = (file: SourceFile) =>
  file.imports
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => resolve(dirname(file.path), specifier));
const name = (path: string) => relative(SRC, path);

describe("architecture", () => {
  it("imports point inward", () => {
    const wrong = files.flatMap((file) => {
      const allowed = MAY_IMPORT[file.folder];
      if (file.folder === "" || allowed === undefined) {
        return file.folder === "" ? [] : [`${name(file.path)}: folder ${file.folder} has no rule`];
      }
      return local(file)
        .map((target) => relative(SRC, target).split("/")[0] ?? "")
        .filter((folder) => folder !== file.folder && !allowed.includes(folder))
        .map((folder) => `${name(file.path)} → ${folder}`);
    });
    expect(wrong).toEqual([]);
  });

  it("the domain is pure: no framework, no platform, no clock, no randomness", () => {
    const impure =
      /Date\.now|new Date\(\)|Math\.random|crypto\.|performance\.|setTimeout|scheduler\.|fetch\(|console\./;
    const wrong = files
      .filter((file) => file.folder === "domain")
      .flatMap((file) => {
        const packages = file.imports.filter(
          (specifier) => !specifier.startsWith(".") && !PURE_PACKAGES.has(specifier),
        );
        const calls = impure.exec(file.text)?.[0];
        return [...packages, ...(calls === undefined ? [] : [calls])].map(
          (what) => `${name(file.path)}: ${what}`,
        );
      });
    expect(wrong).toEqual([]);
  });

  it("SQL is in the store alone; an object's own storage is in control", () => {
    const tables =
      /\b(?:FROM|INTO|UPDATE|JOIN)\s+(?:versions|deployments|workers|routes|domains|zones|tokens|audit|accounts)\b/;
    const wrong = files
      .filter(
        (file) =>
          file.folder !== "store" && (tables.test(file.text) || /drizzle-orm/.test(file.text)),
      )
      .filter((file) => file.folder !== "host")
      .map((file) => name(file.path));
    expect(wrong).toEqual([]);
  });

  it("nothing imports itself in a circle", () => {
    const graph = new Map(files.map((file) => [file.path, local(file)]));
    const done = new Set<string>();
    const circles: string[] = [];
    const walk = (path: string, trail: readonly string[]) => {
      if (trail.includes(path)) {
        circles.push([...trail.slice(trail.indexOf(path)), path].map(name).join(" → "));
        return;
      }
      if (done.has(path)) return;
      for (const next of graph.get(path) ?? []) walk(next, [...trail, path]);
      done.add(path);
    };
    for (const file of files) walk(file.path, []);
    expect(circles).toEqual([]);
  });

  it(`no file is longer than ${FILE_LINES_MAX} lines`, () => {
    const long = files
      .map((file) => [name(file.path), readFileSync(file.path, "utf8").split("\n").length] as const)
      .filter(([, lines]) => lines > FILE_LINES_MAX);
    expect(long).toEqual([]);
  });

  it("objects set no timers: an overdue one would hold back the clock that grants are made by", () => {
    const wrong = files
      .filter((file) => /extends DurableObject|class DurableRegister/.test(file.text))
      .filter((file) => /setTimeout|setInterval|scheduler\.wait/.test(file.text))
      .map((file) => name(file.path));
    expect(wrong).toEqual([]);
  });
});

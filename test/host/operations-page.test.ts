/** docs/operations.md lists what the code has: flags, log events, metrics. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { HELP } from "../../src/host/help.ts";
import { FAMILIES } from "../../src/host/metrics/families.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/operations.md"), "utf8");

function sources(folder: string): string {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(ROOT, folder, name), "utf8"))
    .join("\n");
}

/** The first cells of the tables below a heading, as far as the next one of its level. */
function firstCells(heading: string): string[] {
  const from = PAGE.indexOf(`\n## ${heading}\n`);
  expect(from, `the section ${heading}`).toBeGreaterThanOrEqual(0);
  const end = PAGE.indexOf("\n## ", from + 1);
  const rows = PAGE.slice(from, end < 0 ? undefined : end).matchAll(/^\| (.+?) \|/gm);
  return [...rows].flatMap(([, cell]) =>
    [...(cell ?? "").matchAll(/`([^`]+)`/g)].map((m) => m[1] ?? ""),
  );
}

describe("the operators' page", () => {
  it("has every event that the host logs, and no other", () => {
    const code = sources("src/host");
    const calls = [...code.matchAll(/\.event\(\s*[^,]*,\s*("[^"]*"|[^,)]*)/g)];
    const named = calls.flatMap(([, name]) => /^"([^"]+)"$/.exec(name ?? "")?.[1] ?? []);
    // One passes on what processes said; every other event has a name that can be found.
    expect(calls.length - named.length).toBe(1);
    const told = firstCells("The log").filter(
      (event) => !/^[a-z][a-z0-9]*([._][a-z_]+)+$/.test(event),
    );
    expect(told.toSorted()).toEqual([...new Set(named)].toSorted());
  });

  it("has every event that the Worker logs, and no other", () => {
    const code = ["api", "control", "data", "gateway", "store"]
      .map((f) => sources(`src/${f}`))
      .join("\n");
    const literal = [...code.matchAll(/log(?:Event|Sampled)\(\s*"\w+",\s*"([^"]+)"/g)];
    const changes = [...code.matchAll(/logChange\(\s*c,\s*"([^"]+)"/g)];
    // Named by the kind of page that the visitor got.
    const pages = ["worker_threw", "version_failed_to_load", "control_plane_unavailable"];
    const names = new Set([...literal, ...changes].map(([, name]) => name ?? "").concat(pages));
    const told = firstCells("The log").filter((event) =>
      /^[a-z][a-z0-9]*([._][a-z_]+)+$/.test(event),
    );
    expect(told.toSorted()).toEqual([...names].toSorted());
  });

  it("has every metric, and no other", () => {
    expect(firstCells("Metrics").toSorted()).toEqual(Object.keys(FAMILIES).toSorted());
  });

  it("has every flag", () => {
    const flags = [...HELP.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, flag]) => flag ?? "");
    const told = firstCells("Settings").filter((cell) => cell.startsWith("--"));
    expect(told.toSorted()).toEqual(flags.filter((flag) => flag !== "--help").toSorted());
  });
});

/**
 * Planted bugs. A checker that cannot see them proves nothing. Those of the core are made by replacing text of
 * its source, so that the product carries no switches; a text that is not there exactly once is an error, so
 * that no mutant becomes void unnoticed when the core is rewritten.
 */
import { readFileSync } from "node:fs";
import { transformSync } from "esbuild";
import type { Core, Faults } from "./core.ts";

type ModuleName = "lease" | "register";

export interface Mutant {
  readonly name: string;
  readonly faults: Faults;
  /** Whether only clocks that are set back can show it. */
  readonly needsSteppingClocks: boolean;
  /** The seeded walk finds it, a short list of commands hardly ever: ten moves have to fall into ten milliseconds. */
  readonly onlyWalk?: boolean;
  core(): Promise<Core>;
}

type Edit = readonly [module: ModuleName, text: string, instead: string];

const plant = (name: string, ...edits: readonly Edit[]): Mutant => ({
  name,
  faults: {},
  needsSteppingClocks: false,
  core: () => loadCore(edits),
});

const around = (name: string, faults: Faults, needsSteppingClocks = false): Mutant => ({
  name,
  faults,
  needsSteppingClocks,
  core: () => loadCore([]),
});

/** Every one breaks the promise, and has to be found. */
export const MUTANTS: readonly Mutant[] = [
  plant(
    "clocks are taken to run alike",
    [
      "lease",
      "Math.ceil((ms * (1000 + terms.driftPermille)) / (1000 - terms.driftPermille)) + terms.marginMs",
      "ms + terms.marginMs",
    ],
    [
      "lease",
      "Math.floor(((ms - terms.marginMs) * (1000 - terms.driftPermille)) / (1000 + terms.driftPermille))",
      "ms - terms.marginMs",
    ],
  ),
  plant("wall clocks are taken to agree", [
    "lease",
    "now > record.horizon + record.authorityMs + skewMs",
    "now > record.horizon",
  ]),
  plant("a new instance does not wait", [
    "lease",
    "now : now + spread(terms, earlierAuthorityMs)",
    "now : now",
  ]),
  plant("a new instance waits by its own terms", [
    "lease",
    "now : now + spread(terms, earlierAuthorityMs)",
    "now : now + spread(terms, terms.authorityMs)",
  ]),
  plant("a longer term of an earlier instance is forgotten", [
    "lease",
    "started < granter.inheritedUntil ? granter.inheritedMs : 0",
    "0",
  ]),
  plant("every boot believes that the instance before is long gone", [
    "lease",
    "now > record.horizon + record.authorityMs + skewMs ? null : record.authorityMs",
    "now > record.horizon - record.authorityMs ? null : record.authorityMs",
  ]),
  plant(
    "an instance grants without authority",
    [
      "lease",
      'if (now >= granter.authorityUntil) return { granter, grant: { kind: "refuse" } };',
      "",
    ],
    ["lease", "Math.min(terms.leaseMs, granter.authorityUntil - now)", "terms.leaseMs"],
  ),
  {
    ...plant("leases outlive the authority they are given under", [
      "lease",
      "Math.min(terms.leaseMs, granter.authorityUntil - now)",
      "terms.leaseMs",
    ]),
    onlyWalk: true,
  },
  plant("a change is made visible at once", ["lease", "now >= granter.drainedAt", "true"]),
  plant("a lease that was given is forgotten", [
    "lease",
    "Math.max(granter.drainedAt, now + spread(terms, full))",
    "granter.drainedAt",
  ]),
  plant("leases are not cut while a change is pending", [
    "lease",
    "Math.max(0, Math.min(full, unspread(terms, granter.drainedAt - now)))",
    "full",
  ]),
  plant("a holder goes back to an older answer", [
    "lease",
    "answer.seq > lease.seq",
    "answer.seq !== lease.seq",
  ]),
  plant("a holder lengthens an old lease by a new answer's", [
    "lease",
    "return { seq: answer.seq, until };",
    "return { seq: lease === null ? answer.seq : lease.seq, until };",
  ]),
  plant("a sequence number that was given up is used again", [
    "register",
    "return { ...state, pending: null };",
    "return { ...state, pending: null, nextSeq: state.pending?.seq ?? state.nextSeq };",
  ]),
  plant("a change that was given up can still become visible", [
    "register",
    "aborting: true",
    "aborting: false",
  ]),
  plant("the pending change is what readers get", [
    "register",
    "return { ...state, pending, nextSeq: state.nextSeq + 1 };",
    "return { ...state, visible: pending, pending, nextSeq: state.nextSeq + 1 };",
  ]),
  around("a lease is counted from the answer", { leaseFromReceipt: true }),
  around("a lease survives a clock that is set back", { leaseSurvivesStep: true }, true),
  around("a change is acknowledged before it is visible", { ackEarly: true }),
  around("a change is visible before its row is written", { rowLate: true }),
  around("a row is active before its change is visible", { activeEarly: true }),
  around("a change is given up without a tombstone", { noTombstone: true }),
  around("an instance records its current terms", { recordsCurrentTerms: true }),
];

/** Leases are given in full while a change is pending: never wrong, but changes have to wait for a lull. */
export const UNCUT: Mutant = plant("leases do not make way for a change", [
  "lease",
  "if (register.pending) {",
  "if (false) {",
]);

async function loadCore(edits: readonly Edit[]): Promise<Core> {
  return {
    lease: await load<Core["lease"]>("lease", edits),
    register: await load<Core["register"]>("register", edits),
  };
}

async function load<M>(name: ModuleName, edits: readonly Edit[]): Promise<M> {
  let source = readFileSync(new URL(`../../src/domain/${name}.ts`, import.meta.url), "utf8");
  for (const [module, text, instead] of edits) {
    if (module !== name) continue;
    // The formatter may break a line anywhere: any white space stands for any other.
    const words = text
      .split(/\s+/)
      .map((word) => word.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`));
    const pattern = new RegExp(words.join(String.raw`\s+`), "g");
    const found = source.match(pattern)?.length ?? 0;
    if (found !== 1) throw new Error(`${name}.ts has ${found} times, not once: ${text}`);
    source = source.replace(pattern, () => instead);
  }
  const { code } = transformSync(source, { loader: "ts", format: "esm", target: "es2024" });
  const url = `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`;
  return (await import(/* @vite-ignore */ url)) as M;
}

/** `run_worker_first`: which requests the Worker answers although there may be a file. */
import { WORKER_FIRST_RULE_CHARS_MAX, WORKER_FIRST_RULES_MAX } from "../limits-assets.ts";
import { err, ok, type Result } from "../result.ts";
import { matchGlob } from "./rule-pattern.ts";

export type WorkerFirst =
  | { readonly kind: "never" }
  | { readonly kind: "always" }
  | {
      readonly kind: "patterns";
      readonly worker: readonly string[];
      /** Exceptions from those. */
      readonly assets: readonly string[];
    };

/** Who answers a path; `either`: the file if there is one. `path` is percent-encoded, as in the URL. */
export function whoIsFirst(rules: WorkerFirst, path: string): "worker" | "assets" | "either" {
  if (rules.kind !== "patterns") return rules.kind === "always" ? "worker" : "either";
  if (rules.assets.some((rule) => matchGlob(rule, path))) return "assets";
  return rules.worker.some((rule) => matchGlob(rule, path)) ? "worker" : "either";
}

/** As it is stored; null when nothing is said. The error is a sentence. */
export function decideWorkerFirst(
  raw: unknown,
): Result<boolean | readonly string[] | null, string> {
  if (raw === undefined || raw === null) return ok(null);
  if (typeof raw === "boolean") return ok(raw);
  if (raw === "true" || raw === "false") return ok(raw === "true");
  if (!Array.isArray(raw) || !raw.every((rule) => typeof rule === "string"))
    return err("The assets' run_worker_first must be true, false or a list of path patterns.");
  if (raw.length === 0)
    return err("The list run_worker_first is empty; say false, or give a pattern.");
  if (raw.length > WORKER_FIRST_RULES_MAX)
    return err(
      `The list run_worker_first has ${raw.length} patterns; at most ${WORKER_FIRST_RULES_MAX} are allowed.`,
    );
  const complaints = raw.flatMap((rule) => complaintsAbout(rule, raw));
  if (complaints.length > 0)
    return err(`Invalid routes in \`run_worker_first\`:\n${complaints.join("\n")}`);
  if (raw.every((rule) => rule.startsWith("!")))
    return err(
      "Only negative `run_worker_first` rules were provided; must provide at least 1 non-negative rule",
    );
  return ok(raw);
}

function complaintsAbout(rule: string, all: readonly string[]): readonly string[] {
  const quoted = `'${rule.slice(0, 2 * WORKER_FIRST_RULE_CHARS_MAX)}'`;
  if (!/^!?\//.test(rule))
    return [
      rule.startsWith("!")
        ? `${quoted}: negative rules must start with '!/'`
        : `${quoted}: rules must start with '/' or '!/'`,
    ];
  const complaints: string[] = [];
  if (rule.length > WORKER_FIRST_RULE_CHARS_MAX)
    complaints.push(
      `${quoted}: all rules must be at most ${WORKER_FIRST_RULE_CHARS_MAX} characters long`,
    );
  if (all.indexOf(rule) !== all.lastIndexOf(rule))
    complaints.push(`${quoted}: rule is a duplicate; rules must be unique`);
  const wider = all.find(
    (other) => other !== rule && other.endsWith("*") && rule.startsWith(other.slice(0, -1)),
  );
  if (wider !== undefined) complaints.push(`${quoted}: rule '${wider}' makes it redundant`);
  return complaints;
}

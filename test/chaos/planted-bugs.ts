/** Ways to break the promise, as small as they are easily made. A harness that does not see one of them is blind. */
import type { PlantedBug } from "./bundle.ts";
import type { Chaos } from "./chaos.ts";

export const PLANTED_BUGS: readonly (PlantedBug & { readonly chaos: Chaos })[] = [
  {
    name: "flip at once",
    chaos: "calm",
    file: "src/domain/lease.ts",
    from: "boolean => now >= granter.drainedAt;",
    to: "boolean => true || now >= granter.drainedAt;",
  },
  {
    name: "lease from receipt",
    chaos: "net",
    file: "src/gateway/held-register.ts",
    from: "hold(before, askedAt, answer.grant)",
    to: "hold(before, this.#clock.now(), answer.grant)",
  },
  {
    name: "any answer that arrives is taken",
    chaos: "net",
    file: "src/gateway/held-register.ts",
    from: "if (this.#answered > sentBefore)",
    to: "if (this.#known !== null)",
  },
  {
    name: "no truncation",
    chaos: "calm",
    file: "src/domain/lease.ts",
    from: "Math.max(0, Math.min(full, unspread(terms, granter.drainedAt - now)))",
    to: "full",
  },
  {
    name: "forgotten lease",
    chaos: "calm",
    file: "src/domain/lease.ts",
    from: "return { granter: { ...granter, drainedAt }, grant:",
    to: "return { granter, grant:",
  },
  {
    name: "no recovery wait",
    chaos: "abort",
    file: "src/domain/lease.ts",
    from: "earlierAuthorityMs === null ? now : now + spread(terms, earlierAuthorityMs)",
    to: "now",
  },
  {
    name: "late in the ledger",
    chaos: "net",
    file: "src/control/worker-lock.ts",
    from: "commitDeployment(this.#db, accountIdOf(this.env), deployment, intentId, {",
    to: `((...row: Parameters<typeof commitDeployment>) => {
      setTimeout(() => void commitDeployment(...row).catch(() => {}), 1_000);
      return Promise.resolve(true);
    })(this.#db, accountIdOf(this.env), deployment, intentId, {`,
  },
  {
    name: "served from the ledger before it is visible",
    chaos: "net",
    file: "src/store/deployments.ts",
    from: 'if (undecided !== null) return "undecided";',
    to: "if (undecided !== null) return { current: await toCurrentDeployment(db, undecided.deployment) };",
  },
];

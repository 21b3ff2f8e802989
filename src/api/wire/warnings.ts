/** Warnings as sentences in an answer's `messages`, and as facts with a deployment. */
import type { DeploymentWarning } from "../../domain/deployment-warnings.ts";
import type { ResourceKind } from "../../domain/version-resources.ts";

/** Our range; none of them is an error. docs/errors.md lists them. */
const CODES: Readonly<Record<DeploymentWarning["kind"], number>> = {
  resources_unchanged: 130_101,
  d1_migrations_differ: 130_102,
  d1_not_compared: 130_103,
  compatibility_date_back: 130_104,
  assets_disappear: 130_105,
  triggers_unchanged: 130_106,
};

const WHAT: Readonly<Record<ResourceKind, string>> = {
  kv_namespace: "KV namespace",
  r2_bucket: "R2 bucket",
  d1: "D1 database",
  queue: "queue",
  durable_object_namespace: "Durable Object class",
  service: "Worker",
};

export const toWireMessage = (warning: DeploymentWarning) => ({
  code: CODES[warning.kind],
  message: sentence(warning),
});

export function toWireWarning(warning: DeploymentWarning) {
  const told = toWireMessage(warning);
  switch (warning.kind) {
    case "resources_unchanged":
      return {
        ...told,
        resources: warning.resources.map(({ binding, kind, resourceId }) => ({
          binding,
          type: kind,
          resource: resourceId,
        })),
      };
    case "d1_migrations_differ":
      return {
        ...told,
        binding: warning.binding,
        database_id: warning.databaseId,
        last_current: warning.lastCurrent,
        now: warning.now,
      };
    case "d1_not_compared":
      return { ...told, binding: warning.binding, database_id: warning.databaseId };
    case "compatibility_date_back":
      return { ...told, from: warning.from, to: warning.to };
    case "assets_disappear":
      return told;
    case "triggers_unchanged":
      return { ...told, crons: warning.crons, routes: warning.routes };
  }
}

function sentence(warning: DeploymentWarning): string {
  switch (warning.kind) {
    case "resources_unchanged": {
      const list = warning.resources.map(
        ({ binding, kind, resourceId }) => `${binding} (${WHAT[kind]} ${resourceId})`,
      );
      return `What both versions are bound to keeps what is in it: ${list.join(", ")}. Check that the older code can read what the newer one wrote.`;
    }
    case "d1_migrations_differ":
      return `The D1 database of ${warning.binding} had ${applied(warning.lastCurrent)} when this version was last current, and has ${applied(warning.now)} now. Going back does not undo them: check that the older code fits the tables.`;
    case "d1_not_compared":
      return `The D1 database of ${warning.binding} could not be looked at in time, so its migrations were not compared. wrangler d1 migrations list shows them: check that the older code fits the tables.`;
    case "compatibility_date_back":
      return `The compatibility date goes back from ${warning.from} to ${warning.to}: the runtime behaves as it did then.`;
    case "assets_disappear":
      return "The version has no static assets: those that are served now disappear.";
    case "triggers_unchanged":
      return `Cron triggers (${warning.crons}) and routes with custom domains (${warning.routes}) belong to the Worker, not to a version: they stay as they are.`;
  }
}

const applied = ({ count, last }: { readonly count: number; readonly last: string | null }) =>
  last === null
    ? "no migrations"
    : `${count} migration${count === 1 ? "" : "s"}, the last one ${last}`;

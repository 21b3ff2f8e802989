/** Bindings to what exists apart from a version: each has to name it. */
import type { Binding } from "./binding.ts";
import type { DomainError } from "./errors.ts";
import {
  RATE_LIMIT_MAX,
  RATE_LIMIT_PERIODS_S,
  RESOURCE_NAME_CHARS_MAX,
} from "./limits-bindings.ts";
import { err, ok, type Result } from "./result.ts";

type Decision = Result<Binding, DomainError>;

/** Null for types that are not decided here. */
export function decideResourceBinding(binding: Binding): Decision | null {
  switch (binding.type) {
    case "kv_namespace":
      return named(binding, "namespace_id", "a KV namespace's id");
    case "r2_bucket":
      return named(binding, "bucket_name", "an R2 bucket's name");
    case "queue":
      return named(binding, "queue_name", "a queue's name");
    case "d1":
      return decideD1(binding);
    case "durable_object_namespace":
      return decideDurableObject(binding);
    case "analytics_engine":
      return named(binding, "dataset", "a dataset's name");
    case "ratelimit":
      return decideRateLimit(binding);
    case "assets":
    case "version_metadata":
      return ok(binding);
    default:
      return null;
  }
}

/** wrangler writes `id`, the SDK `database_id`: both are kept filled, so that either reads back. */
function decideD1(binding: Binding): Decision {
  const id = binding["id"] ?? binding["database_id"];
  const databaseId = binding["database_id"] ?? id;
  if (typeof id !== "string" || id === "")
    return invalid(`The d1 binding ${binding.name} needs its id, a database's id.`);
  if (id !== databaseId)
    return invalid(`The d1 binding ${binding.name} has an id and another database_id.`);
  return named({ ...binding, id, database_id: id }, "id", "a database's id");
}

function decideDurableObject(binding: Binding): Decision {
  const script = binding["script_name"];
  if (script !== undefined && (typeof script !== "string" || script === ""))
    return invalid(
      `The script_name of the durable_object_namespace binding ${binding.name} must be a Worker's name.`,
    );
  return named(binding, "class_name", "the name of a Durable Object class");
}

function decideRateLimit(binding: Binding): Decision {
  const { limit, period } = (binding["simple"] ?? {}) as { limit?: unknown; period?: unknown };
  if (!Number.isInteger(limit) || (limit as number) < 1 || (limit as number) > RATE_LIMIT_MAX)
    return invalid(
      `The ratelimit binding ${binding.name} needs its simple.limit, a whole number from 1 to ${RATE_LIMIT_MAX}.`,
    );
  if (!RATE_LIMIT_PERIODS_S.includes(period as number))
    return invalid(
      `The simple.period of the ratelimit binding ${binding.name} must be ${RATE_LIMIT_PERIODS_S.join(" or ")}, in seconds.`,
    );
  return named(binding, "namespace_id", "a namespace_id of your own choice");
}

function named(binding: Binding, field: string, what: string): Decision {
  const value = binding[field];
  const { name, type } = binding;
  if (typeof value !== "string" || value === "")
    return invalid(`The ${type} binding ${name} needs its ${field}, ${what}.`);
  if (value.length > RESOURCE_NAME_CHARS_MAX)
    return invalid(
      `The ${field} of the ${type} binding ${name} is ${value.length} characters long; at most ${RESOURCE_NAME_CHARS_MAX} are allowed.`,
    );
  return ok(binding);
}

const invalid = (detail: string) => err<DomainError>({ kind: "upload_invalid", detail });

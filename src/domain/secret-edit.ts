/** What bindings and secrets are after some were set and some taken away. Pure: nothing is stored, nothing told. */
import type { Binding, SecretText } from "./binding.ts";
import type { DomainError } from "./errors.ts";
import { err, ok, type Result } from "./result.ts";

export interface Environment {
  readonly bindings: readonly Binding[];
  readonly secrets: readonly SecretText[];
}

export interface EnvironmentChange {
  /** Set, or set anew; secret ones without their text. */
  readonly bindings: readonly Binding[];
  readonly secrets: readonly SecretText[];
  /** Names of bindings that go. */
  readonly removed: readonly string[];
}

/** Order stays; what is new comes last. */
export function changeEnvironment(latest: Environment, change: EnvironmentChange): Environment {
  const set = new Map(change.bindings.map((binding) => [binding.name, binding]));
  const removed = new Set(change.removed);
  const known = new Set(latest.bindings.map(({ name }) => name));
  const touched = (name: string) => set.has(name) || removed.has(name);
  return {
    bindings: [
      ...latest.bindings
        .filter(({ name }) => !removed.has(name) || set.has(name))
        .map((binding) => set.get(binding.name) ?? binding),
      ...change.bindings.filter(({ name }) => !known.has(name)),
    ],
    secrets: [...latest.secrets.filter(({ name }) => !touched(name)), ...change.secrets],
  };
}

/**
 * The same for secrets alone: a name that is bound to something else is refused, and so is taking away what is not there
 * (unless `isLenient`, as a merge patch is).
 */
export function changeSecrets(
  latest: Environment,
  change: EnvironmentChange,
  { isLenient }: { readonly isLenient: boolean },
): Result<Environment, DomainError> {
  const types = new Map(latest.bindings.map(({ name, type }) => [name, type]));
  for (const name of [...change.bindings.map((binding) => binding.name), ...change.removed]) {
    const type = types.get(name);
    if (type !== undefined && type !== "secret_text")
      return err({ kind: "binding_is_no_secret", name, type });
  }
  const gone = change.removed.find((name) => !types.has(name));
  if (gone !== undefined && !isLenient) return err({ kind: "secret_not_found", name: gone });
  return ok(changeEnvironment(latest, change));
}

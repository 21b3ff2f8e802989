/** How the secrets of a version differ from those of what serves. */
import type { SecretText } from "./binding.ts";

export interface SecretChanges {
  /** Names whose value or presence differs. */
  readonly changed: readonly string[];
  /** Those of them that the version has: deploying it would bring their values back. */
  readonly restored: readonly string[];
  /** Why nobody can compare them; null: they were compared. */
  readonly unreadable: Unreadable | null;
}

export interface Unreadable {
  /** Of the key that there is no more; null: what is stored was altered. */
  readonly keyId: string | null;
}

export const NO_SECRET_CHANGES: SecretChanges = { changed: [], restored: [], unreadable: null };

export const unreadableSecrets = (unreadable: Unreadable): SecretChanges => ({
  ...NO_SECRET_CHANGES,
  unreadable,
});

export function compareSecrets(
  target: readonly SecretText[],
  serving: readonly SecretText[],
): SecretChanges {
  const now = new Map(serving.map(({ name, text }) => [name, text]));
  const then = new Map(target.map(({ name, text }) => [name, text]));
  const restored = [...then].filter(([name, text]) => now.get(name) !== text);
  const gone = [...now.keys()].filter((name) => !then.has(name));
  const names = restored.map(([name]) => name);
  return { changed: [...names, ...gone], restored: names, unreadable: null };
}

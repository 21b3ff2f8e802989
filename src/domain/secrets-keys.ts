/** The installation's keys: `<key id>:<base64 of 32 bytes>`, the one in use first, those it has replaced after it, with commas. */
export interface SecretsKey {
  readonly id: string;
  readonly base64: string;
}

const KEY = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/;

/** Throws when it is not that. */
export function parseSecretsKeys(configured: string): readonly SecretsKey[] {
  const keys = configured.split(",").map((text) => {
    const [, id, base64] = KEY.exec(text.trim()) ?? [];
    if (id === undefined || base64 === undefined)
      throw new Error(
        "SECRETS_KEY has to be <key id>:<base64 of 32 random bytes>, or several of these with commas, the one in use first",
      );
    return { id, base64 };
  });
  if (new Set(keys.map(({ id }) => id)).size < keys.length)
    throw new Error("SECRETS_KEY names a key id twice; every key needs an id of its own");
  return keys;
}

/** Each as it would stand alone: what was made with a key by itself is still made with it beside others. */
export const eachSecretsKey = (configured: string): readonly string[] =>
  configured.split(",").map((text) => text.trim());

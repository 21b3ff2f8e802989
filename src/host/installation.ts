/**
 * installation.json: what makes a data directory this installation and no other. It holds the key that
 * opens every stored secret, and of the root token only the hash.
 */
import { createHash, randomBytes } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { DataDirectory } from "./data-directory.ts";
import { parseSecretsKeys, type SecretsKey } from "../domain/secrets-keys.ts";
import { HostError, reasonOf } from "./host-error.ts";

export interface Installation {
  readonly accountId: string;
  /** Hex SHA-256. */
  readonly rootTokenSha256: string;
  /** See domain/secrets-keys: more than one while secrets are on their way from one key to the next. */
  readonly secretsKey: string;
}

/** Raised only when an older Switchback could not read what a newer one wrote. */
const FORMAT = 1;
const FILE = "installation.json";

interface Stored {
  format: number;
  account_id: string;
  secrets_key: string;
  /** Absent until the token has been shown: a first start that fails half-way makes a new one next time. */
  root_token_sha256?: string;
}

export interface OpenedInstallation {
  readonly installation: Installation;
  /** A token made just now. Show it once `keep` has returned; nobody can read it again. */
  readonly newRootToken: string | undefined;
  /** Stores the hash of the token that is in force from now on. */
  keep(): void;
}

export function openInstallation(
  directory: DataDirectory,
  preset: { readonly accountId: string | undefined; readonly rootToken: string | undefined },
): OpenedInstallation {
  const file = join(directory.path, FILE);
  const stored = existsSync(file) ? read(file) : create(file, directory, preset.accountId);
  if (preset.accountId !== undefined && preset.accountId !== stored.account_id) {
    throw new HostError(
      `SWITCHBACK_ACCOUNT_ID is "${preset.accountId}", but the data directory ${directory.path} belongs to account "${stored.account_id}". ` +
        "Unset it, or choose another directory with --data.",
    );
  }
  const newRootToken =
    preset.rootToken === undefined && stored.root_token_sha256 === undefined
      ? `sbk_${randomBytes(32).toString("base64url")}`
      : undefined;
  const token = preset.rootToken ?? newRootToken;
  const rootTokenSha256 = token === undefined ? (stored.root_token_sha256 ?? "") : sha256(token);
  return {
    installation: {
      accountId: stored.account_id,
      secretsKey: stored.secrets_key,
      rootTokenSha256,
    },
    newRootToken,
    keep: () => {
      // Read again: a new key may have been added meanwhile.
      const now = read(file);
      if (rootTokenSha256 !== now.root_token_sha256) {
        write(file, { ...now, root_token_sha256: rootTokenSha256 });
      }
    },
  };
}

/** Put a new key before the one in use. Unchanged while an earlier change is not finished. Gives the new list. */
export function addSecretsKey(dataDirectory: string): readonly SecretsKey[] {
  const file = join(dataDirectory, FILE);
  const stored = read(file);
  const keys = keysOf(file, stored);
  if (keys.length > 1) return keys;
  const numbers = keys.map(({ id }) => Number(/^k(\d{1,9})$/.exec(id)?.[1] ?? 0));
  const id = `k${Math.max(0, ...numbers) + 1}`;
  const secrets_key = [`${id}:${randomBytes(32).toString("base64")}`, stored.secrets_key].join(",");
  write(file, { ...stored, secrets_key });
  return keysOf(file, { ...stored, secrets_key });
}

/**
 * Forget all keys but the one in use, if that is `keyId`: nothing is sealed under the others any more. Gives the ids of
 * those that are gone.
 */
export function dropOlderKeys(dataDirectory: string, keyId: string): readonly string[] {
  const file = join(dataDirectory, FILE);
  const stored = read(file);
  const [first, ...older] = keysOf(file, stored);
  if (first?.id !== keyId || older.length === 0) return [];
  write(file, { ...stored, secrets_key: `${first.id}:${first.base64}` });
  return older.map(({ id }) => id);
}

/** The one in use first. */
export const storedKeys = (dataDirectory: string): readonly SecretsKey[] => {
  const file = join(dataDirectory, FILE);
  return keysOf(file, read(file));
};

function keysOf(file: string, { secrets_key }: Stored): readonly SecretsKey[] {
  try {
    return parseSecretsKeys(secrets_key);
  } catch {
    throw new HostError(`${file} is damaged. Restore it from a backup.`);
  }
}

function create(file: string, directory: DataDirectory, accountId: string | undefined): Stored {
  if (existsSync(directory.storage)) {
    throw new HostError(
      `${file} is missing, but ${directory.storage} holds data. Restore the file from a backup: without its key no stored secret can be read.`,
    );
  }
  const stored: Stored = {
    format: FORMAT,
    account_id: accountId ?? randomBytes(16).toString("hex"),
    secrets_key: `k1:${randomBytes(32).toString("base64")}`,
  };
  write(file, stored);
  return stored;
}

function read(file: string): Stored {
  let value: Partial<Stored>;
  try {
    value = JSON.parse(readFileSync(file, "utf8")) as Partial<Stored>;
  } catch (error) {
    throw new HostError(`${file} cannot be read (${reasonOf(error)}). Restore it from a backup.`);
  }
  if (typeof value?.format === "number" && value.format > FORMAT) {
    throw new HostError(
      `${file} was written by a newer Switchback (format ${value.format}; this one knows ${FORMAT}). Start that one.`,
    );
  }
  const { account_id, secrets_key, root_token_sha256 } = value ?? {};
  if (
    typeof account_id !== "string" ||
    typeof secrets_key !== "string" ||
    (root_token_sha256 !== undefined && !/^[0-9a-f]{64}$/.test(root_token_sha256))
  ) {
    throw new HostError(`${file} is damaged. Restore it from a backup.`);
  }
  return { ...value, format: FORMAT, account_id, secrets_key };
}

/** Whole or not at all, also over a power cut: written beside, flushed, renamed. */
function write(file: string, stored: Stored): void {
  const beside = `${file}.new`;
  const handle = openSync(beside, "w", 0o600);
  writeSync(handle, `${JSON.stringify(stored, null, 2)}\n`);
  fsyncSync(handle);
  closeSync(handle);
  renameSync(beside, file);
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

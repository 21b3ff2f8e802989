/**
 * The bindings of an upload: checked, with secret texts split off and inherited ones set apart.
 * Fields that this release does not know are kept as they came.
 */
import { byteLength } from "./byte-length.ts";
import type { Binding, SecretText } from "./binding.ts";
import { canonicalJson } from "./canonical-json.ts";
import { decideResourceBinding } from "./decide-resource-binding.ts";
import type { DomainError } from "./errors.ts";
import {
  BINDING_NAME_CHARS_MAX,
  BINDING_VALUE_BYTES_MAX,
  BINDINGS_MAX,
  KEEP_BINDINGS_MAX,
} from "./limits.ts";
import { err, ok, type Result } from "./result.ts";
import type { InheritedBinding, VersionDraft } from "./upload.ts";

type Bindings = Pick<VersionDraft, "bindings" | "secrets" | "inherited">;
/** What one declared binding comes to. */
type Decided =
  | { readonly binding: Binding; readonly secret?: SecretText }
  | { readonly inherited: InheritedBinding };
type Fields = Readonly<Record<string, unknown>>;

const BINDING_NAME = /^[A-Za-z_$][\w$]*$/;
/** Names and entrypoints that the gateway adds to a version. */
const RESERVED_PREFIX = "__switchback";

/** `stubs`: bindings that nothing here can run are kept, and fail when they are used. */
export function decideBindings(
  raw: unknown,
  { stubs }: { readonly stubs: boolean },
): Result<Bindings, DomainError> {
  const list = raw ?? [];
  if (!Array.isArray(list)) return invalid("The metadata's bindings must be a list.");
  if (list.length > BINDINGS_MAX)
    return err({ kind: "too_many_bindings", count: list.length, max: BINDINGS_MAX });

  const bindings: Binding[] = [];
  const secrets: SecretText[] = [];
  const inherited: InheritedBinding[] = [];
  const names = new Set<string>();
  for (const [index, item] of (list as unknown[]).entries()) {
    if (typeof item !== "object" || item === null || Array.isArray(item))
      return invalid(`The binding at index ${index} must be an object.`);
    const fields = item as Fields;
    const name = decideName(fields["name"], index);
    if (!name.ok) return name;
    if (names.has(name.value))
      return invalid(`Two bindings are named ${name.value}. Rename one of them.`);
    names.add(name.value);
    const decided = decideBinding(name.value, fields, stubs);
    if (!decided.ok) return decided;
    if ("inherited" in decided.value) inherited.push(decided.value.inherited);
    else {
      bindings.push(decided.value.binding);
      if (decided.value.secret !== undefined) secrets.push(decided.value.secret);
    }
  }
  return ok({ bindings, secrets, inherited });
}

/** `keep_bindings`: the types of which everything that the latest version has is taken over. */
export function decideKeepBindings(raw: unknown): Result<readonly string[], DomainError> {
  const list = raw ?? [];
  if (!Array.isArray(list) || !list.every((item) => typeof item === "string"))
    return invalid("The metadata's keep_bindings must be a list of binding types.");
  if (list.length > KEEP_BINDINGS_MAX)
    return invalid(
      `The metadata's keep_bindings has ${list.length} entries; at most ${KEEP_BINDINGS_MAX} are allowed.`,
    );
  return ok([...new Set(list)]);
}

function decideName(raw: unknown, index: number): Result<string, DomainError> {
  if (typeof raw !== "string" || raw === "") return err({ kind: "binding_without_name", index });
  if (raw.length > BINDING_NAME_CHARS_MAX)
    return invalid(
      `The name of the binding at index ${index} is ${raw.length} characters long; at most ${BINDING_NAME_CHARS_MAX} are allowed.`,
    );
  // `__proto__` matches the rule, but means something else on the environment object.
  if (!BINDING_NAME.test(raw) || raw === "__proto__")
    return invalid(
      `The binding name ${JSON.stringify(raw)} is not allowed. Use letters, digits, _ and $, not starting with a digit.`,
    );
  if (raw.toLowerCase().startsWith(RESERVED_PREFIX))
    return invalid(
      `The binding name ${raw} is reserved: names starting with ${RESERVED_PREFIX} are the gateway's.`,
    );
  return ok(raw);
}

function decideBinding(name: string, fields: Fields, stubs: boolean): Result<Decided, DomainError> {
  const type = fields["type"];
  if (typeof type !== "string" || type === "") return invalid(`The binding ${name} has no type.`);
  const binding: Binding = { ...fields, name, type };
  switch (type) {
    case "plain_text":
      return decideText(binding, { binding });
    case "secret_text": {
      const { text, ...rest } = binding;
      return decideText(binding, {
        binding: rest as Binding,
        secret: { name, text: text as string },
      });
    }
    case "json":
      return decideJson(binding);
    case "service":
      return decideService(binding);
    case "inherit":
      return decideInherit(binding);
    case "secret_key":
      // Kept verbatim it would hand the key to everyone who may read the version.
      return invalid(
        `The binding ${name} is a secret_key, which is not supported yet. Put the key into a secret and import it in the Worker.`,
      );
    default: {
      const decided = decideResourceBinding(binding);
      if (decided !== null) return decided.ok ? ok({ binding: decided.value }) : decided;
      return stubs ? ok({ binding }) : err({ kind: "binding_type_unsupported", name, type });
    }
  }
}

function decideText(binding: Binding, decided: Decided): Result<Decided, DomainError> {
  const text = binding["text"];
  if (typeof text !== "string")
    return invalid(`The ${binding.type} binding ${binding.name} needs its text, a string.`);
  return withinLimit(binding.name, text) ?? ok(decided);
}

function decideJson(binding: Binding): Result<Decided, DomainError> {
  const value = binding["json"];
  if (value === undefined) return invalid(`The json binding ${binding.name} needs its json value.`);
  return withinLimit(binding.name, canonicalJson(value)) ?? ok({ binding });
}

function withinLimit(name: string, text: string): Result<never, DomainError> | null {
  if (byteLength(text) <= BINDING_VALUE_BYTES_MAX) return null;
  return err({ kind: "binding_value_too_large", name, bytesMax: BINDING_VALUE_BYTES_MAX });
}

function decideService(binding: Binding): Result<Decided, DomainError> {
  const service = binding["service"];
  if (typeof service !== "string" || service === "")
    return invalid(`The service binding ${binding.name} needs its service, a Worker's name.`);
  const entrypoint = binding["entrypoint"] ?? "";
  if (typeof entrypoint !== "string")
    return invalid(`The entrypoint of the service binding ${binding.name} must be a string.`);
  if (entrypoint.toLowerCase().startsWith(RESERVED_PREFIX))
    return invalid(
      `The service binding ${binding.name} names the entrypoint ${JSON.stringify(entrypoint.slice(0, BINDING_NAME_CHARS_MAX))}; those starting with ${RESERVED_PREFIX} are the gateway's.`,
    );
  return ok({ binding });
}

function decideInherit(binding: Binding): Result<Decided, DomainError> {
  const oldName = binding["old_name"] ?? binding.name;
  if (typeof oldName !== "string" || oldName === "" || oldName.length > BINDING_NAME_CHARS_MAX)
    return invalid(
      `The old_name of the inherit binding ${binding.name} must be a binding's name, at most ${BINDING_NAME_CHARS_MAX} characters long.`,
    );
  const versionId = binding["version_id"] ?? "latest";
  if (versionId !== "latest")
    return err({
      kind: "inherit_version_id",
      versionId: (typeof versionId === "string" ? versionId : canonicalJson(versionId)).slice(
        0,
        64,
      ),
    });
  return ok({ inherited: { name: binding.name, oldName } });
}

const invalid = (detail: string) => err<DomainError>({ kind: "upload_invalid", detail });

/**
 * Upload metadata spelled as form fields, as the `cloudflare` SDK sends it:
 * `metadata[main_module]`, `metadata[annotations][workers/message]`, `metadata[bindings][][name]`.
 */
import { spelledNumber } from "../domain/decide-settings.ts";
import type { DomainError } from "../domain/errors.ts";
import { JSON_DEPTH_MAX } from "../domain/limits.ts";
import { err, ok, type Result } from "../domain/result.ts";

type Node = Map<string, Value>;
type Value = string | number | boolean | Node | Value[];

const KEY = /^metadata((?:\[[^[\]]*\])+)$/;
/** Keys that mean something else on a plain object. */
const OBJECT_KEYS: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Whether a form field is part of metadata that is spelled as fields. */
export const isMetadataField = (name: string): boolean => name.startsWith("metadata[");

/**
 * The object that the fields spell, in their order. A list of objects starts a new element whenever a key
 * comes again. Values are texts, since the form has lost what they were, except inside a binding's `json`,
 * where texts of numbers and booleans are taken for those.
 */
export function metadataFromFields(
  fields: readonly (readonly [name: string, text: string])[],
): Result<Readonly<Record<string, unknown>>, DomainError> {
  const root: Node = new Map();
  for (const [name, text] of fields) {
    const path = pathOf(name);
    if (path === null || !put(root, path, leaf(path, text)))
      return err({
        kind: "bad_multipart",
        detail: `The field ${JSON.stringify(name.slice(0, 255))} cannot be read as part of the metadata. Send the metadata as one JSON part instead.`,
      });
  }
  return ok(plain(root) as Readonly<Record<string, unknown>>);
}

/** The segments between brackets, `""` for `[]`; null when the name does not have that form. */
function pathOf(name: string): readonly string[] | null {
  const brackets = KEY.exec(name)?.[1];
  if (brackets === undefined) return null;
  const path = brackets.slice(1, -1).split("][");
  const sound =
    path[0] !== "" &&
    path.length < JSON_DEPTH_MAX &&
    path.every(
      (segment, index) => !OBJECT_KEYS.has(segment) && (segment !== "" || path[index - 1] !== ""),
    );
  return sound ? path : null;
}

function leaf(path: readonly string[], text: string): Value {
  if (path[0] !== "bindings" || path[2] !== "json") return text;
  if (text === "true" || text === "false") return text === "true";
  return spelledNumber(text) ?? text;
}

/** False when the path meets something of another shape. */
function put(node: Node, [key, ...rest]: readonly string[], value: Value): boolean {
  if (key === undefined) return false;
  if (rest.length === 0) {
    if (node.has(key)) return false;
    node.set(key, value);
    return true;
  }
  if (rest[0] === "") return putInList(node, key, rest.slice(1), value);
  const child = node.get(key) ?? new Map<string, Value>();
  if (!(child instanceof Map)) return false;
  node.set(key, child);
  return put(child, rest, value);
}

function putInList(node: Node, key: string, rest: readonly string[], value: Value): boolean {
  const list = node.get(key) ?? [];
  if (!Array.isArray(list)) return false;
  node.set(key, list);
  if (rest.length === 0) {
    list.push(value);
    return true;
  }
  const last = list.at(-1);
  if (last instanceof Map && !has(last, rest)) return put(last, rest, value);
  const element: Node = new Map();
  list.push(element);
  return put(element, rest, value);
}

/** Whether the path's value is taken. A list further down has room for more, so there it never is. */
function has(node: Node, [key, ...rest]: readonly string[]): boolean {
  const child = key === undefined ? undefined : node.get(key);
  if (child === undefined) return false;
  if (rest.length === 0) return true;
  if (rest[0] === "") return false;
  return child instanceof Map ? has(child, rest) : true;
}

function plain(value: Value): unknown {
  if (value instanceof Map)
    return Object.fromEntries([...value].map(([key, field]) => [key, plain(field)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

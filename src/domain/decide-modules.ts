/** Which parts of an upload are the version's modules, what each is, and where the code starts. */
import { ASSETS_ONLY_MODULE, ASSETS_ONLY_SOURCE } from "./assets/assets-draft.ts";
import { decideModuleName } from "./module-name.ts";
import type { DomainError } from "./errors.ts";
import { VERSION_MODULES_BYTES_MAX } from "./limits.ts";
import { err, ok, type Result } from "./result.ts";
import type { Upload, UploadedModule, VersionDraft } from "./upload.ts";
import type { ModuleType } from "./version.ts";

type Modules = VersionDraft["modules"];
type Entry = Pick<VersionDraft, "syntax" | "mainModule" | "modules">;

const TYPE_OF_CONTENT: ReadonlyMap<string, ModuleType> = new Map([
  ["application/javascript+module", "esm"],
  ["text/javascript+module", "esm"],
  ["application/javascript", "cjs"],
  ["text/javascript", "cjs"],
  ["application/wasm", "wasm"],
  ["application/octet-stream", "data"],
  ["text/plain", "text"],
  ["application/json", "json"],
  ["text/x-python", "python"],
]);

/** For parts that do not say, or say something that is no module type, what they are. */
const TYPE_OF_EXTENSION: ReadonlyMap<string, ModuleType> = new Map([
  ["js", "esm"],
  ["mjs", "esm"],
  ["cjs", "cjs"],
  ["wasm", "wasm"],
  ["json", "json"],
  ["bin", "data"],
  ["txt", "text"],
  ["html", "text"],
  ["css", "text"],
  ["md", "text"],
  ["sql", "text"],
  ["svg", "text"],
  ["py", "python"],
]);

/**
 * The modules of `upload` and its entry point. Source maps are left out: the runtime does not read them. An upload
 * that has assets needs neither.
 */
export function decideModules(
  upload: Upload,
  { assetsOnly = false }: { readonly assetsOnly?: boolean } = {},
): Result<Entry, DomainError> {
  const names = upload.metadata["main_module"] ?? upload.metadata["body_part"] ?? null;
  if (assetsOnly && names === null && upload.modules.length === 0) return ok(assetsOnlyEntry());
  const named = nameModules(upload.modules.filter((module) => !isSourceMap(module)));
  if (!named.ok) return named;
  const modules = named.value;
  const bytes = modules.reduce((sum, module) => sum + module.bytes.byteLength, 0);
  if (bytes > VERSION_MODULES_BYTES_MAX)
    return err({ kind: "upload_too_large", bytes, bytesMax: VERSION_MODULES_BYTES_MAX });

  const main = upload.metadata["main_module"] ?? null;
  const body = upload.metadata["body_part"] ?? null;
  if (main !== null && body !== null)
    return invalid("The metadata has both main_module and body_part; give one of them.");
  if (main === null && body === null)
    return invalid("The metadata has no main_module: name the module that the Worker starts with.");
  return main === null ? serviceWorkerEntry(body, modules) : moduleEntry(main, modules);
}

function assetsOnlyEntry(): Entry {
  const name = ASSETS_ONLY_MODULE;
  const bytes = new TextEncoder().encode(ASSETS_ONLY_SOURCE);
  return { syntax: "modules", mainModule: name, modules: [{ name, type: "esm", bytes }] };
}

function isSourceMap(module: UploadedModule): boolean {
  return module.contentType === "application/source-map" || module.name.endsWith(".map");
}

function nameModules(uploaded: readonly UploadedModule[]): Result<Modules, DomainError> {
  if (uploaded.length === 0)
    return invalid("The upload has no modules: add the Worker's code as a file part.");
  const modules: Modules[number][] = [];
  const spellings = new Map<string, string>();
  for (const { name: partName, contentType, bytes } of uploaded) {
    const name = decideModuleName(partName);
    if (!name.ok) return name;
    const other = spellings.get(name.value.toLowerCase());
    if (other !== undefined)
      return invalid(
        other === name.value
          ? `Two modules are named ${name.value}. Rename one of them.`
          : `The modules ${other} and ${name.value} differ in upper and lower case alone. Rename one of them.`,
      );
    spellings.set(name.value.toLowerCase(), name.value);
    const type = decideType(name.value, contentType);
    if (!type.ok) return type;
    modules.push({ name: name.value, type: type.value, bytes });
  }
  return ok(modules);
}

function decideType(name: string, contentType: string): Result<ModuleType, DomainError> {
  const extension = /\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? "";
  const type = TYPE_OF_CONTENT.get(contentType) ?? TYPE_OF_EXTENSION.get(extension);
  if (type !== undefined) return ok(type);
  return invalid(
    contentType === ""
      ? `The part ${name} has no Content-Type, and its name does not tell what it is. ${TYPES_SENTENCE}`
      : `The part ${name} has the content type ${JSON.stringify(contentType)}, which is no module type. ${TYPES_SENTENCE}`,
  );
}

const TYPES_SENTENCE = `Known types: ${[...TYPE_OF_CONTENT.keys()].join(", ")}.`;

function moduleEntry(raw: unknown, modules: Modules): Result<Entry, DomainError> {
  const main = findPart(raw, "main_module", modules);
  if (!main.ok) return main;
  if (main.value.type !== "esm")
    return invalid(
      `The main module ${main.value.name} is no ES module (it came as ${main.value.type}). Send it as application/javascript+module, with a default export.`,
    );
  return ok({ syntax: "modules", mainModule: main.value.name, modules });
}

function serviceWorkerEntry(raw: unknown, modules: Modules): Result<Entry, DomainError> {
  const body = findPart(raw, "body_part", modules);
  if (!body.ok) return body;
  if (body.value.type !== "cjs")
    return invalid(
      `The body_part ${body.value.name} is no script (it came as ${body.value.type}). Send a service worker as application/javascript, or name an ES module as main_module.`,
    );
  return ok({ syntax: "service-worker", mainModule: body.value.name, modules });
}

function findPart(
  raw: unknown,
  field: string,
  modules: Modules,
): Result<Modules[number], DomainError> {
  if (typeof raw !== "string" || raw === "")
    return invalid(`The metadata's ${field} must be the name of a module.`);
  const name = raw.startsWith("./") ? raw.slice(2) : raw;
  const found = modules.find((module) => module.name === name);
  if (found !== undefined) return ok(found);
  return invalid(
    `The ${field} ${JSON.stringify(raw.slice(0, 255))} is not among the uploaded modules (${someNames(modules)}).`,
  );
}

function someNames(modules: Modules): string {
  const shown = modules.slice(0, 5).map((module) => module.name);
  return modules.length > shown.length
    ? `${shown.join(", ")} and ${modules.length - shown.length} more`
    : shown.join(", ");
}

const invalid = (detail: string) => err<DomainError>({ kind: "upload_invalid", detail });

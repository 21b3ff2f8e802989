/** `PATCH …/scripts/:name/settings`: settings of the Worker by themselves, settings of a version as a new version that is deployed. */
import { changeWorkerSettings } from "../control/change-worker-settings.ts";
import { deployEditedVersion, type EditLatest } from "../control/edit-latest-version.ts";
import { decideAnnotations } from "../domain/annotations.ts";
import type { Binding, SecretText } from "../domain/binding.ts";
import { decideCompatibilityDate, decideCompatibilityFlags } from "../domain/compatibility.ts";
import { decideBindings } from "../domain/decide-bindings.ts";
import { decideSettings } from "../domain/decide-settings.ts";
import { UPLOAD_METADATA_BYTES_MAX } from "../domain/limits.ts";
import { err, ok } from "../domain/result.ts";
import type { Version } from "../domain/version.ts";
import type { Worker } from "../domain/worker.ts";
import { findLatestVersion } from "../store/versions.ts";
import type { ApiContext } from "./api-env.ts";
import { logChange } from "./change-log.ts";
import { accept, refuseWith } from "./envelope.ts";
import { readMultipart } from "./multipart.ts";
import { bodyChunks, parseJson, readBytes } from "./read-body.ts";
import { scriptSettings, toSettings } from "./schemas.ts";

type Fields = Readonly<Record<string, unknown>>;

const OF_VERSION = [
  "bindings",
  "compatibility_date",
  "compatibility_flags",
  "limits",
  "placement",
  "usage_model",
  "cache_options",
] as const;

export async function editSettings(
  c: ApiContext,
  worker: Worker,
): Promise<{ readonly worker: Worker; readonly version: Version | null }> {
  const { context, config } = c.var;
  const fields = await readFields(c);
  if ((fields["migrations"] ?? null) !== null)
    return refuseWith({
      kind: "not_supported",
      what: "A Durable Object migration by a change of settings",
      instead:
        "Nothing was changed. Deploy the migration with the code of its classes (wrangler deploy).",
    });
  const own = scriptSettings.safeParse(fields);
  if (!own.success) {
    const detail = own.error.issues[0]?.message ?? "not understood";
    return refuseWith({ kind: "bad_request", detail });
  }
  const isOfVersion = OF_VERSION.some((name) => (fields[name] ?? null) !== null);
  const edit = isOfVersion ? editOf(fields, worker, config.bindingStubs) : null;
  const version =
    edit === null
      ? await findLatestVersion(context.db, worker.id)
      : accept(
          await deployEditedVersion(
            context,
            worker,
            edit,
            "settings",
            config.deploymentVersionsMax,
          ),
        );
  const given = toSettings(own.data);
  const changed =
    Object.keys(given).length === 0 ? worker : await changeWorkerSettings(context, worker, given);
  logChange(c, "worker.settings", {
    worker: worker.name,
    fields: Object.keys(fields).join(","),
    ...(edit === null ? {} : { version: version?.id ?? "" }),
  });
  return { worker: changed, version };
}

function editOf(fields: Fields, worker: Worker, stubs: boolean): EditLatest {
  return (latest, version) => {
    const settings = decideSettings({ ...version.settings, ...present(fields) });
    if (!settings.ok) return settings;
    const date = decideCompatibilityDate(fields["compatibility_date"] ?? version.compatibilityDate);
    if (!date.ok) return date;
    const flags = decideCompatibilityFlags(
      fields["compatibility_flags"] ?? version.compatibilityFlags,
    );
    if (!flags.ok) return flags;
    const said = decideAnnotations(fields["annotations"], worker.name);
    if (!said.ok) return said;
    let bindings: readonly Binding[] = latest.bindings;
    let secrets: readonly SecretText[] = latest.secrets;
    if ((fields["bindings"] ?? null) !== null) {
      const decided = decideBindings(fields["bindings"], { stubs });
      if (!decided.ok) return decided;
      const kept: Binding[] = [];
      const keptSecrets: SecretText[] = [];
      for (const { name, oldName } of decided.value.inherited) {
        const binding = latest.bindings.find((each) => each.name === oldName);
        if (binding === undefined) return err({ kind: "inherit_missing", names: [name] });
        kept.push({ ...binding, name });
        const secret = latest.secrets.find((each) => each.name === oldName);
        if (secret !== undefined) keptSecrets.push({ ...secret, name });
      }
      bindings = [...decided.value.bindings, ...kept];
      secrets = [...decided.value.secrets, ...keptSecrets];
    }
    return ok({
      bindings,
      secrets,
      annotations: said.value.annotations,
      settings: settings.value,
      compatibilityDate: date.value,
      compatibilityFlags: flags.value,
    });
  };
}

const present = (fields: Fields): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => (value ?? null) !== null));

/** A JSON body, or the part `settings` of a form. */
async function readFields(c: ApiContext): Promise<Fields> {
  const type = c.req.header("content-type") ?? "";
  const bytes = type.includes("multipart/")
    ? await settingsPart(c, type)
    : accept(await readBytes(c.req.raw, UPLOAD_METADATA_BYTES_MAX));
  const value = accept(parseJson(bytes));
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  return refuseWith({ kind: "bad_request", detail: "the settings have to be a JSON object." });
}

async function settingsPart(c: ApiContext, type: string): Promise<Uint8Array> {
  const body = bodyChunks(c.req.raw, UPLOAD_METADATA_BYTES_MAX);
  const parts = accept(await readMultipart(body, type));
  const part = parts.find(({ name }) => name === "settings");
  return (
    part?.bytes ?? refuseWith({ kind: "bad_multipart", detail: 'It has no part named "settings".' })
  );
}

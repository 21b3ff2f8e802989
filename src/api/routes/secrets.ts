/** `…/scripts/:name/secrets`: each change is a new version, deployed. Values go in and never come out. */
import { Hono } from "hono";
import * as z from "zod";
import { deployEditedVersion } from "../../control/edit-latest-version.ts";
import { decideBindings } from "../../domain/decide-bindings.ts";
import { changeSecrets, type EnvironmentChange } from "../../domain/secret-edit.ts";
import type { Version } from "../../domain/version.ts";
import type { Worker } from "../../domain/worker.ts";
import { findLatestVersion } from "../../store/versions.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { logChange } from "../change-log.ts";
import { accept, refuseWith, success } from "../envelope.ts";
import { workerNamed } from "../find-worker.ts";
import { readJson } from "../read-body.ts";

const secret = z.object({
  name: z.string(),
  text: z.string(),
  type: z.literal("secret_text", 'The type of a secret has to be "secret_text".'),
});
const bulk = z.object({
  secrets: z.record(
    z.string(),
    z
      .object({
        name: z.string().optional(),
        text: z.string(),
        type: z.literal("secret_text").default("secret_text"),
      })
      .nullable(),
  ),
});

export const secretRoutes = new Hono<ApiEnv>()
  .get("/:name/secrets", async (c) => {
    const worker = await workerOf(c);
    return success(c, secretsOf(await findLatestVersion(c.var.context.db, worker.id)));
  })
  .get("/:name/secrets/:secret", async (c) => {
    const worker = await workerOf(c);
    const name = c.req.param("secret");
    const secrets = secretsOf(await findLatestVersion(c.var.context.db, worker.id));
    const found = secrets.find((each) => each.name === name);
    return found === undefined ? refuseWith({ kind: "secret_not_found", name }) : success(c, found);
  })
  .put("/:name/secrets", async (c) => {
    const worker = await workerOf(c);
    const given = accept(await readJson(c.req.raw, secret));
    await change(c, worker, { set: [given], removed: [] }, `Updated secret "${given.name}"`);
    return success(c, { name: given.name, type: given.type });
  })
  .delete("/:name/secrets/:secret", async (c) => {
    const worker = await workerOf(c);
    const name = c.req.param("secret");
    await change(c, worker, { set: [], removed: [name] }, `Deleted secret "${name}"`);
    return success(c, null);
  })
  .patch("/:name/secrets-bulk", async (c) => {
    const worker = await workerOf(c);
    const { secrets } = accept(await readJson(c.req.raw, bulk));
    const entries = Object.entries(secrets);
    const set = entries.flatMap(([name, given]) => (given === null ? [] : [{ ...given, name }]));
    const removed = entries.flatMap(([name, given]) => (given === null ? [name] : []));
    const wanted = { set, removed, isLenient: true };
    if (entries.length === 0) return success(c, []);
    const version = await change(c, worker, wanted, `Bulk updated ${entries.length} secrets`);
    return success(c, secretsOf(version));
  });

interface Wanted {
  readonly set: readonly { readonly name: string; readonly text: string }[];
  readonly removed: readonly string[];
  /** What is not there may be taken away all the same. */
  readonly isLenient?: boolean;
}

async function change(
  c: ApiContext,
  worker: Worker,
  { set, removed, isLenient = false }: Wanted,
  message: string,
): Promise<Version> {
  const { context, config } = c.var;
  const typed = set.map(({ name, text }) => ({ name, text, type: "secret_text" }));
  const decided = accept(decideBindings(typed, { stubs: config.bindingStubs }));
  const wanted: EnvironmentChange = { ...decided, removed };
  const version = accept(
    await deployEditedVersion(
      context,
      worker,
      (latest) => {
        const changed = changeSecrets(latest, wanted, { isLenient });
        if (!changed.ok) return changed;
        return { ok: true, value: { ...changed.value, annotations: { message, other: {} } } };
      },
      "secret",
      config.deploymentVersionsMax,
    ),
  );
  logChange(c, "secret.change", {
    worker: worker.name,
    version: version.id,
    names: [...set.map(({ name }) => name), ...removed].join(","),
  });
  return version;
}

const workerOf = async (c: ApiContext): Promise<Worker> =>
  accept(await workerNamed(c.var.context, c.req.param("name") ?? ""));

const secretsOf = (version: Version | null) =>
  (version?.bindings ?? [])
    .filter(({ type }) => type === "secret_text")
    .map(({ name, type }) => ({ name, type }));

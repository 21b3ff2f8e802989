/** What is done to a Worker, to the real one and to the model; after each, both have to say the same. */
import { evictDurableObject } from "cloudflare:test";
import { expect } from "vitest";
import fc from "fast-check";
import { workerLockStub } from "../../support/fixtures.ts";
import type { WorkerId } from "../../../src/domain/ids.ts";
import { ACCOUNT, SCRIPTS, uploadBody, type Answer, type Client } from "../../api/api-fixture.ts";
import type { Model } from "./model.ts";

export interface Real {
  readonly client: Client;
  readonly name: string;
  /** How many commands were carried out. */
  count: number;
}

type Command = fc.AsyncCommand<Model, Real>;

const BUCKETS = 2;
const SECRETS = ["KEY", "TOKEN"];
const path = (real: Real, rest: string) => `${SCRIPTS}/${real.name}${rest}`;
const bucket = (real: Real, at: number) => `${real.name}-${at}`;
const codeOf = ({ errors }: Answer): number | null => errors[0]?.code ?? null;

abstract class Step implements Command {
  check(): boolean {
    return true;
  }

  async run(model: Model, real: Real): Promise<void> {
    real.count += 1;
    await this.step(model, real);
    await agree(model, real);
  }

  abstract step(model: Model, real: Real): Promise<void>;
}

/** Current deployment, length of the history and what `previous` would be. */
async function agree(model: Model, real: Real): Promise<void> {
  if (model.versions.length === 0) return;
  const listed = await real.client.call("GET", path(real, "/deployments?per_page=1"));
  const [current] = listed.result.deployments;
  const shares = [...(model.current?.shares ?? [])].map(([at, percentage]) => ({
    version_id: model.version(at).id,
    percentage,
  }));
  expect(current?.versions ?? []).toEqual(shares);
  expect(Number(listed.result_info?.["cursor"] || 0)).toBe(model.history.length);
  if (model.current === undefined) return;
  expect(current.annotations["workers/rollback_from"]?.split(",").filter(Boolean) ?? null).toEqual(
    model.current.left?.map((at) => model.version(at).id) ?? null,
  );
}

class Upload extends Step {
  readonly deploys: boolean;
  readonly secrets: Readonly<Record<string, string>>;
  readonly buckets: readonly number[];
  readonly migrates: boolean;

  constructor(
    deploys: boolean,
    secrets: Readonly<Record<string, string>>,
    buckets: readonly number[],
    migrates: boolean,
  ) {
    super();
    this.deploys = deploys;
    this.secrets = secrets;
    this.buckets = buckets;
    this.migrates = migrates;
  }

  override async step(model: Model, real: Real): Promise<void> {
    const deploys = this.deploys || model.versions.length === 0;
    const names = this.buckets.map((at) => bucket(real, at));
    const buckets = names.filter((name) => model.buckets.has(name));
    const migrates = this.migrates && deploys;
    const after = model.migrations + (migrates ? 1 : 0);
    const metadata = {
      bindings: [
        ...Object.entries(this.secrets).map(([name, text]) => ({
          type: "secret_text",
          name,
          text,
        })),
        ...buckets.map((bucket_name, at) => ({ type: "r2_bucket", name: `B${at}`, bucket_name })),
      ],
      ...(migrates && { migrations: { new_tag: `v${after}`, new_sqlite_classes: [`C${after}`] } }),
    };
    const classes = Array.from({ length: after }, (_, at) => `export class C${at + 1} {}`);
    const code = `${classes.join("\n")}\nexport default {};`;
    const body = uploadBody(metadata, { "index.js": code });
    const made = deploys
      ? await real.client.call("PUT", path(real, ""), body)
      : await real.client.call("POST", path(real, "/versions"), body);
    expect(made.errors).toEqual([]);
    model.migrations = after;
    const id = String(made.result.deployment_id ?? made.result.id);
    model.versions.push({ id, secrets: this.secrets, buckets, migrations: after });
    if (deploys) model.deployed(new Map([[model.versions.length - 1, 100]]), "upload");
  }

  override toString = () =>
    `upload(${this.deploys ? "and deploy" : "only"}, ${JSON.stringify(this.secrets)}, buckets ${this.buckets.join("+")}${this.migrates ? ", migrating" : ""})`;
}

class PutSecret extends Step {
  readonly key: string;
  readonly text: string | null;

  constructor(key: string, text: string | null) {
    super();
    this.key = key;
    this.text = text;
  }

  override async step(model: Model, real: Real): Promise<void> {
    const { key: name, text } = this;
    const secrets = { [name]: text === null ? null : { name, text, type: "secret_text" } };
    const made = await real.client.call("PATCH", path(real, "/secrets-bulk"), { secrets });
    const latest = model.versions.at(-1);
    if (latest === undefined) return expect(codeOf(made)).toBe(10_007);
    if (!model.servesAllOfLatest) return expect(codeOf(made)).toBe(10_215);
    // An upload may not be bound to what is gone, and neither may this one.
    if (latest.buckets.some((each) => !model.buckets.has(each)))
      return expect(codeOf(made)).toBe(10_085);
    expect(made.errors).toEqual([]);
    const { [name]: _, ...others } = latest.secrets;
    const listed = await real.client.call("GET", path(real, "/versions?per_page=1"));
    const changed = text === null ? others : { ...others, [name]: text };
    model.versions.push({ ...latest, id: listed.result.items[0].id, secrets: changed });
    model.deployed(new Map([[model.versions.length - 1, 100]]), "upload");
  }

  override toString = () => `secret(${this.key}, ${this.text ?? "deleted"})`;
}

class Deploy extends Step {
  /** Which versions, as parts of all there are, and the share of the first. */
  readonly picks: readonly number[];
  readonly share: number;
  readonly force: boolean;

  constructor(picks: readonly number[], share: number, force: boolean) {
    super();
    this.picks = picks;
    this.share = share;
    this.force = force;
  }

  override async step(model: Model, real: Real): Promise<void> {
    if (model.versions.length === 0) return;
    const picked = this.picks.map((pick) => Math.floor(pick * model.versions.length));
    const [first = 0, second = first] = picked;
    const shares = new Map(
      first === second
        ? [[first, 100]]
        : [
            [first, this.share],
            [second, 100 - this.share],
          ],
    );
    const expected = model.against(shares, this.force);
    const made = await real.client.call("POST", path(real, `/deployments?force=${this.force}`), {
      versions: [...shares].map(([at, percentage]) => ({
        version_id: model.version(at).id,
        percentage,
      })),
    });
    expect(codeOf(made)).toBe(expected);
    if (expected === null) model.deployed(shares, "deployment");
  }

  override toString = () =>
    `deploy(${this.picks.map((pick) => pick.toFixed(2)).join(", ")}, ${this.share} %${this.force ? ", force" : ""})`;
}

class RollBack extends Step {
  readonly force: boolean;

  constructor(force: boolean) {
    super();
    this.force = force;
  }

  override async step(model: Model, real: Real): Promise<void> {
    if (model.versions.length === 0) return;
    const to = model.previous();
    const shares = new Map(to === null ? [] : [[to, 100]]);
    const expected = to === null ? 130_058 : model.against(shares, this.force);
    const made = await real.client.call("POST", path(real, `/rollbacks?force=${this.force}`), {});
    expect(codeOf(made)).toBe(expected);
    if (expected === null) model.deployed(shares, "rollback");
  }

  override toString = () => `rollback(${this.force ? "force" : ""})`;
}

class Bucket extends Step {
  readonly at: number;
  readonly isMade: boolean;

  constructor(at: number, isMade: boolean) {
    super();
    this.at = at;
    this.isMade = isMade;
  }

  override async step(model: Model, real: Real): Promise<void> {
    const name = bucket(real, this.at);
    if (model.buckets.has(name) === this.isMade) return;
    const made = this.isMade
      ? await real.client.call("POST", `${ACCOUNT}/r2/buckets`, { name })
      : await real.client.call("DELETE", `${ACCOUNT}/r2/buckets/${name}?force=true`);
    expect(made.errors).toEqual([]);
    if (this.isMade) model.buckets.add(name);
    else model.buckets.delete(name);
  }

  override toString = () => `bucket(${this.at}, ${this.isMade ? "made" : "deleted"})`;
}

class Limit extends Step {
  readonly max: number;

  constructor(max: number) {
    super();
    this.max = max;
  }

  override async step(model: Model, real: Real): Promise<void> {
    if (model.versions.length === 0) return;
    const body = { max: this.max };
    const put = await real.client.call("PUT", path(real, "/deployable-versions"), body);
    expect(put.errors).toEqual([]);
    model.max = this.max;
  }

  override toString = () => `limit(${this.max})`;
}

class Revoke extends Step {
  readonly key: string;

  constructor(key: string) {
    super();
    this.key = key;
  }

  override async step(model: Model, real: Real): Promise<void> {
    if (model.versions.length === 0) return;
    const put = await real.client.call("PUT", path(real, `/revoked-secrets/${this.key}`));
    const isKnown = model.versions.some(({ secrets }) => this.key in secrets);
    expect(codeOf(put)).toBe(isKnown ? null : 10_056);
    if (isKnown) model.revoked.set(this.key, model.versions.length - 1);
  }

  override toString = () => `revoke(${this.key})`;
}

/** The lock forgets what it had in memory. */
class Crash extends Step {
  override async step(model: Model, real: Real): Promise<void> {
    if (model.versions.length === 0) return;
    const service = await real.client.call("GET", `${ACCOUNT}/workers/workers/${real.name}`);
    await evictDurableObject(workerLockStub(service.result.id as WorkerId));
  }

  override toString = () => "crash()";
}

const key = fc.constantFrom(...SECRETS);
const text = fc.constantFrom("a", "b");
const part = fc.double({ min: 0, max: 0.999, noNaN: true });
const rarely = fc.integer({ min: 0, max: 7 }).map((n) => n === 0);

export const commands = (max: number) =>
  fc.commands(
    [
      fc
        .tuple(
          fc.boolean(),
          fc.dictionary(key, text, { maxKeys: 2, noNullPrototype: true }),
          fc.subarray(Array.from({ length: BUCKETS }, (_, at) => at)),
          rarely,
        )
        .map((args): Command => new Upload(...args)),
      fc.tuple(key, fc.option(text)).map((args): Command => new PutSecret(...args)),
      fc
        .tuple(
          fc.array(part, { minLength: 1, maxLength: 2 }),
          fc.constantFrom(0, 10, 50, 100),
          fc.boolean(),
        )
        .map((args): Command => new Deploy(...args)),
      fc
        .tuple(fc.array(part, { minLength: 1, maxLength: 1 }), fc.constant(100), fc.boolean())
        .map((args): Command => new Deploy(...args)),
      fc.boolean().map((force): Command => new RollBack(force)),
      fc
        .tuple(fc.integer({ min: 0, max: BUCKETS - 1 }), fc.boolean())
        .map((args): Command => new Bucket(...args)),
      fc.constantFrom(0, 0, 2, 3).map((limit): Command => new Limit(limit)),
      key.map((name): Command => new Revoke(name)),
      fc.constant(new Crash() as Command),
    ],
    { maxCommands: max, size: "max" },
  );

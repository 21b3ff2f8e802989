/** A Worker uploaded by plain HTTP, where wrangler would add nothing but time, and every way to deploy a version of it. */
import { BadRequestError, NotFoundError } from "cloudflare";
import { expect } from "vitest";
import { deploymentsOf, versionsOf } from "./api-state.ts";
import { Project } from "./project.ts";
import { ACCOUNT_ID, type ApiAnswer, type TestHost } from "./test-host.ts";
import type { WranglerRun } from "./wrangler.ts";

export interface Uploaded {
  readonly source: string;
  readonly bindings?: readonly Readonly<Record<string, string>>[];
  readonly migrations?: Readonly<Record<string, unknown>>;
}

/** As wrangler gives shares: `<version>@<percentage>%`. */
export type Share = readonly [versionId: string, percentage: number];

export class RuledWorker {
  readonly host: TestHost;
  readonly name: string;
  /** Where wrangler is run. */
  readonly project: Project;

  constructor(host: TestHost, name: string) {
    this.host = host;
    this.name = name;
    this.project = new Project(host, name, "");
  }

  /** Below `/client/v4`. */
  path(below: string): string {
    return `A/workers/scripts/${this.name}/${below}`;
  }

  /** Uploads a version and deploys it; gives the version. */
  async put(uploaded: Uploaded): Promise<string> {
    accepted(await this.host.api(`A/workers/scripts/${this.name}`, form("PUT", uploaded)));
    const versions = await versionsOf(this.host, this.name);
    // Of the Worker's first upload on: it is to be visited.
    if (versions.length === 1)
      accepted(await this.host.send("POST", this.path("subdomain"), { enabled: true }));
    return versions[0]?.id ?? "";
  }

  /** Uploads a version without deploying it. */
  async upload(uploaded: Uploaded): Promise<string> {
    return accepted(await this.host.api(this.path("versions"), form("POST", uploaded))).result.id;
  }

  deploy(shares: readonly Share[], query = ""): Promise<ApiAnswer> {
    return this.host.send("POST", this.path(`deployments${query}`), {
      strategy: "percentage",
      versions: shares.map(([version_id, percentage]) => ({ version_id, percentage })),
    });
  }

  async serves(): Promise<string> {
    return (await this.host.visit(this.project.workersHost)).body;
  }

  /** What a refusal must leave as it is. */
  async state() {
    const deployments = await deploymentsOf(this.host, this.name);
    const versions = await versionsOf(this.host, this.name);
    return {
      current: deployments[0]?.id,
      deployments: deployments.length,
      versions: versions.length,
      serves: await this.serves(),
    };
  }
}

/** How one way said no. */
export interface Refusal {
  readonly way: string;
  /** In the order in which they were given. */
  readonly codes: readonly number[];
  /** White space is one space: wrangler breaks lines. */
  readonly text: string;
}

type Way = (worker: RuledWorker, versionId: string) => Promise<Omit<Refusal, "way">>;

/** Each has to be refused, in its own manner. */
export const WAYS = {
  "wrangler rollback": async (worker, versionId) =>
    byWrangler(await worker.project.tryWrangler("rollback", versionId, "-m", "back")),
  "wrangler versions deploy": async (worker, versionId) =>
    byWrangler(await worker.project.tryWrangler("versions", "deploy", `${versionId}@100%`, "-y")),
  SDK: bySdk,
  HTTP: async (worker, versionId) => byHttp(await worker.deploy([[versionId, 100]])),
  "HTTP with force": async (worker, versionId) =>
    byHttp(await worker.deploy([[versionId, 100]], "?force=true")),
} satisfies Readonly<Record<string, Way>>;

export type WayName = keyof typeof WAYS;
export const EVERY_WAY = Object.keys(WAYS) as WayName[];

/** Tries each way; each has to be refused, and all together have to leave everything as it is. */
export async function refusals(
  worker: RuledWorker,
  versionId: string,
  ways: readonly WayName[] = EVERY_WAY,
): Promise<Refusal[]> {
  const before = await worker.state();
  const refused = await Promise.all(
    ways.map(async (way) => ({ way, ...(await WAYS[way](worker, versionId)) })),
  );
  expect(await worker.state()).toEqual(before);
  return refused;
}

function byWrangler({ code, output }: WranglerRun) {
  expect(code, output).toBe(1);
  const codes = [...output.matchAll(/\[code: (\d+)\]/g)].map((match) => Number(match[1]));
  return { codes, text: output.replaceAll(/\s+/g, " ") };
}

/** Not tried again: the SDK does that for what may go better the next time. */
async function bySdk({ host, name }: RuledWorker, versionId: string) {
  let posts = 0;
  const counted: typeof fetch = (input, init) => {
    posts += 1;
    return fetch(input, init);
  };
  const sdk = host.sdk({ maxRetries: 2 }).withOptions({ fetch: counted });
  const failed: unknown = await sdk.workers.scripts.deployments
    .create(name, {
      account_id: ACCOUNT_ID,
      strategy: "percentage",
      versions: [{ version_id: versionId, percentage: 100 }],
    })
    .then(
      () => "it was deployed",
      (error: unknown) => error,
    );
  expect(posts, "requests of the SDK").toBe(1);
  if (!(failed instanceof BadRequestError || failed instanceof NotFoundError)) throw failed;
  return { codes: failed.errors.map(({ code }) => code ?? 0), text: failed.message };
}

function byHttp({ status, success, errors }: ApiAnswer) {
  expect(success).toBe(false);
  expect([400, 404]).toContain(status);
  return {
    codes: errors.map(({ code }) => code),
    text: errors.map(({ message }) => message).join(" "),
  };
}

function accepted(answer: ApiAnswer): ApiAnswer {
  if (!answer.success) throw new Error(JSON.stringify(answer.errors));
  return answer;
}

function form(method: string, { source, bindings = [], migrations }: Uploaded): RequestInit {
  const body = new FormData();
  const metadata = {
    main_module: "worker.mjs",
    compatibility_date: "2026-10-01",
    bindings,
    ...(migrations === undefined ? {} : { migrations }),
  };
  body.set("metadata", JSON.stringify(metadata));
  const type = "application/javascript+module";
  body.set("worker.mjs", new Blob([source], { type }), "worker.mjs");
  return { method, body };
}

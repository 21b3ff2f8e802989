/** The API as a patient client uses it: whatever is not answered, or answered with "try again", is asked for again. */
import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, Hang, type Answer } from "./http-ask.ts";
import { ACCOUNT_ID, ROOT_TOKEN } from "./machine.ts";

/** Held while the control process restarts (15 s), then driven (25 s), with a slow machine's margin. */
const ANSWER_MS_MAX = 75_000;
const AGAIN_MS = 50;
const TRIES_MAX = 500;

export interface DeploymentRow {
  readonly id: string;
  readonly seq: number;
  readonly message: string;
  readonly versionId: string;
}

/** How one deployment went, for whoever keeps the book. */
export interface Outcome {
  acknowledged(seq: number): void;
  refused(kind: string): void;
  unanswered(): void;
}

export class Api {
  readonly #port: () => number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 });
  /** Requests that neither were answered nor failed. */
  readonly hangs: string[] = [];
  readonly latencies: number[] = [];

  constructor(port: () => number) {
    this.#port = port;
  }

  close(): void {
    this.#agent.destroy();
  }

  /** One try; null if there was no answer. `path` below the account. */
  async once(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
    body?: string | Uint8Array,
  ): Promise<Answer | null> {
    try {
      const answer = await ask(this.#port(), {
        method,
        path: `/client/v4/accounts/${ACCOUNT_ID}/workers/scripts${path}`,
        host: "localhost",
        headers: { authorization: `Bearer ${ROOT_TOKEN}`, ...headers },
        ...(body === undefined ? {} : { body }),
        agent: this.#agent,
        msMax: ANSWER_MS_MAX,
      });
      this.latencies.push(answer.endedAt - answer.startedAt);
      return answer;
    } catch (error) {
      if (error instanceof Hang) this.hangs.push(error.message);
      return null;
    }
  }

  /** Until there is an answer that is not "try again". */
  // oxlint-disable-next-line typescript/no-explicit-any -- a result is whatever the call gives
  async patient(...call: Parameters<Api["once"]>): Promise<any> {
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const answer = await this.once(...call);
      if (answer !== null && answer.status < 500 && answer.status !== 429) {
        if (answer.status >= 300) throw new Error(`${call[1]}: ${answer.status} ${answer.text}`);
        return JSON.parse(answer.text);
      }
      await sleep(AGAIN_MS);
    }
    throw new Error(`${call[0]} ${call[1]}: never answered`);
  }

  /** Uploads a version whose answers are JSON with `tag`; gives its id. Twice, perhaps, if the answer is lost. */
  async upload(worker: string, tag: string): Promise<string> {
    const answer = await this.patient("POST", `/${worker}/versions`, ...(await form(tag)));
    return answer.result.id;
  }

  /** A Worker on its own host and on `*.<name>.example`, with its first version. */
  async createWorker(worker: string, tag: string): Promise<void> {
    await this.patient("PUT", `/${worker}`, ...(await form(tag)));
    const json = { "content-type": "application/json" };
    const own = JSON.stringify({ enabled: true, previews_enabled: false });
    await this.patient("POST", `/${worker}/subdomain`, json, own);
    const zone_name = `${worker}.example`;
    const routes = JSON.stringify([{ pattern: `*.${zone_name}/*`, zone_name }]);
    await this.patient("PUT", `/${worker}/routes`, json, routes);
  }

  /** One deployment with one key, asked for again until it is known what became of it. */
  async deploy(worker: string, versionId: string, key: string, outcome: Outcome): Promise<void> {
    const body = JSON.stringify({
      strategy: "percentage",
      versions: [{ version_id: versionId, percentage: 100 }],
      annotations: { "workers/message": key },
    });
    const headers = { "content-type": "application/json", "idempotency-key": key };
    for (let tries = 0; tries < TRIES_MAX; tries++) {
      const answer = await this.once("POST", `/${worker}/deployments`, headers, body);
      if (answer !== null && answer.status === 200) {
        return outcome.acknowledged(JSON.parse(answer.text).result.receipt.sequence);
      }
      if (answer !== null && answer.status < 500 && answer.status !== 429) {
        return outcome.refused(`${answer.status} ${answer.text}`);
      }
      outcome.unanswered();
      await sleep(AGAIN_MS);
    }
  }

  /** The whole history of a Worker, oldest first. One row a page, because a page's cursor is its last row's place. */
  async history(worker: string): Promise<DeploymentRow[]> {
    const rows: DeploymentRow[] = [];
    for (let cursor = ""; ;) {
      const path = `/${worker}/deployments?per_page=1${cursor === "" ? "" : `&cursor=${cursor}`}`;
      const { result, result_info } = await this.patient("GET", path);
      const [one] = result.deployments;
      if (one === undefined) return rows.toReversed();
      cursor = result_info.cursor;
      rows.push({
        id: one.id,
        seq: Number(cursor),
        message: one.annotations["workers/message"] ?? "",
        versionId: one.versions[0].version_id,
      });
    }
  }
}

const source = (tag: string) =>
  `export default { async fetch(request) {
    return Response.json({ tag: ${JSON.stringify(tag)}, bytes: (await request.arrayBuffer()).byteLength });
  } };`;

/** Headers and body of an upload. */
async function form(tag: string): Promise<[Record<string, string>, Uint8Array]> {
  const data = new FormData();
  const metadata = { main_module: "worker.mjs", compatibility_date: "2026-10-01" };
  data.set("metadata", JSON.stringify(metadata));
  const type = "application/javascript+module";
  data.set("worker.mjs", new Blob([source(tag)], { type }), "worker.mjs");
  const encoded = new Response(data);
  return [
    { "content-type": encoded.headers.get("content-type") ?? "" },
    new Uint8Array(await encoded.arrayBuffer()),
  ];
}

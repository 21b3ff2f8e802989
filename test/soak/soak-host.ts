/** The host that is soaked: the real launcher as a process of its own, and the few calls of the API that are needed. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../src/host/main.ts", import.meta.url));
const TOKEN = "sbk_soak_root_token_of_this_run_only";
const ACCOUNT_ID = "50a050a050a050a050a050a050a050a0";
const COMPATIBILITY_DATE = "2026-10-01";

interface Envelope {
  readonly success: boolean;
  readonly errors: readonly { readonly code: number; readonly message: string }[];
  // oxlint-disable-next-line typescript/no-explicit-any -- whatever the call gives
  readonly result: any;
}

export class SoakHost {
  readonly directory: string;
  readonly port: number;
  readonly launcher: number;
  readonly #child: ChildProcess;
  #output: string;

  private constructor(directory: string, child: ChildProcess, launcher: number, ready: string) {
    this.directory = directory;
    this.#child = child;
    this.launcher = launcher;
    this.#output = ready;
    this.port = Number(/ready url=http:\/\/localhost:(\d+)/.exec(ready)?.[1]);
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk: Buffer) => (this.#output += chunk.toString("utf8")));
    }
  }

  static async start(gateways: number): Promise<SoakHost> {
    const directory = mkdtempSync(join(tmpdir(), "switchback-soak-"));
    const flags = ["--port", "0", "--data", directory, "--gateways", String(gateways)];
    const child = spawn(process.execPath, [MAIN, ...flags], {
      env: {
        PATH: process.env["PATH"],
        SWITCHBACK_ROOT_TOKEN: TOKEN,
        SWITCHBACK_ACCOUNT_ID: ACCOUNT_ID,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const ready = await new Promise<string>((done, fail) => {
      let output = "";
      const read = (chunk: Buffer) => {
        output += chunk.toString("utf8");
        if (/switchback ready url=\S+/.test(output)) done(output);
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.once("exit", (code) => fail(new Error(`the host ended with ${code}:\n${output}`)));
    });
    return new SoakHost(directory, child, child.pid ?? 0, ready);
  }

  /** Bytes that the host has logged so far. */
  get logBytes(): number {
    return Buffer.byteLength(this.#output);
  }

  /** Everything it has logged so far. */
  get log(): string {
    return this.#output;
  }

  /** As an operator does it. Removes the data. */
  async stop(): Promise<void> {
    const exited = new Promise((done) => this.#child.once("exit", done));
    this.#child.kill("SIGTERM");
    await exited;
    rmSync(this.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }

  /** Uploads and deploys a Worker on its own host. */
  async put(worker: string, source: string): Promise<void> {
    await this.#api("PUT", `scripts/${worker}`, upload(source));
    await this.#api("POST", `scripts/${worker}/subdomain`, json({ enabled: true }));
  }

  /** Gives the id of the version. */
  async uploadVersion(worker: string, source: string): Promise<string> {
    return (await this.#api("POST", `scripts/${worker}/versions`, upload(source))).id;
  }

  /** Resolves when it is acknowledged. */
  async deploy(worker: string, versionId: string): Promise<void> {
    const versions = [{ version_id: versionId, percentage: 100 }];
    await this.#api(
      "POST",
      `scripts/${worker}/deployments`,
      json({ strategy: "percentage", versions }),
    );
  }

  /** The id of the newest version. */
  async newestVersion(worker: string): Promise<string> {
    return (await this.#api("GET", `scripts/${worker}/versions`)).items[0].id;
  }

  /** Versions that are not run any more. */
  async stoppedVersions(worker: string): Promise<number> {
    return (await this.#api("GET", `scripts/${worker}/breakers`)).length;
  }

  async #api(method: string, path: string, body?: Body): Promise<Envelope["result"]> {
    const url = `http://127.0.0.1:${this.port}/client/v4/accounts/${ACCOUNT_ID}/workers/${path}`;
    const headers = new Headers({ authorization: `Bearer ${TOKEN}` });
    if (body?.type !== undefined) headers.set("content-type", body.type);
    const answer = await fetch(url, { method, headers, ...(body && { body: body.content }) });
    const { success, errors, result } = (await answer.json()) as Envelope;
    if (!success) throw new Error(`${method} ${path}: ${JSON.stringify(errors)}`);
    return result;
  }
}

interface Body {
  readonly content: string | FormData;
  readonly type?: string;
}

const json = (value: unknown): Body => ({
  content: JSON.stringify(value),
  type: "application/json",
});

function upload(source: string): Body {
  const content = new FormData();
  const metadata = { main_module: "worker.mjs", compatibility_date: COMPATIBILITY_DATE };
  content.set("metadata", JSON.stringify(metadata));
  const type = "application/javascript+module";
  content.append("worker.mjs", new File([source], "worker.mjs", { type }));
  return { content };
}

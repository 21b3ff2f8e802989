/** The API over one kept-alive connection, as a client that cares about latency would hold it. */
import { Agent, request } from "node:http";
import { ACCOUNT_ID, ROOT_TOKEN } from "./host-process.ts";

export interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

export class ApiClient {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(port: number) {
    this.#port = port;
  }

  /** `result` of Cloudflare's envelope; `path` below the account. Throws if the call was refused. */
  async call<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    const json = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return this.#callApi<T>(method, path, json, "application/json");
  }

  /** Uploads one module, as wrangler does. `metadata`: what else it says. */
  async upload<T>(
    method: "PUT" | "POST",
    path: string,
    code: string,
    metadata: object = {},
  ): Promise<T> {
    const form = new FormData();
    form.set(
      "metadata",
      JSON.stringify({
        main_module: "index.js",
        compatibility_date: "2026-10-01",
        bindings: [],
        ...metadata,
      }),
    );
    const module = new File([code], "index.js", { type: "application/javascript+module" });
    form.set("index.js", module, "index.js");
    const encoded = new Response(form);
    const type = encoded.headers.get("content-type") ?? "";
    return this.#callApi<T>(method, path, Buffer.from(await encoded.arrayBuffer()), type);
  }

  /** A visitor's request to a Worker's own host. Throws unless the answer is 200. */
  async visit(host: string, path = "/"): Promise<Answer> {
    const answer = await this.send("GET", host, path);
    if (answer.status !== 200) throw new Error(`${host} answered ${answer.status}: ${answer.body}`);
    return answer;
  }

  /** The same, whatever the answer is; with a body where there is one. */
  send(method: string, host: string, path: string, body?: string): Promise<Answer> {
    const bytes = body === undefined ? undefined : Buffer.from(body);
    const length = bytes ? { "content-length": String(bytes.length) } : {};
    return this.#send(method, path, { host: `${host}:${this.#port}`, ...length }, bytes);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #callApi<T>(method: string, path: string, body: Buffer | undefined, type: string) {
    const answer = await this.#send(
      method,
      `/client/v4/accounts/${ACCOUNT_ID}${path}`,
      {
        host: `localhost:${this.#port}`,
        authorization: `Bearer ${ROOT_TOKEN}`,
        ...(body ? { "content-type": type, "content-length": String(body.length) } : {}),
      },
      body,
    );
    if (answer.status !== 200) {
      throw new Error(`${method} ${path} answered ${answer.status}: ${answer.body.slice(0, 1000)}`);
    }
    return (JSON.parse(answer.body) as { readonly result: T }).result;
  }

  #send(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body?: Buffer,
  ): Promise<Answer> {
    return new Promise((done, fail) => {
      const sent = request(
        { host: "127.0.0.1", port: this.#port, agent: this.#agent, method, path, headers },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.once("error", fail);
          response.once("end", () =>
            done({
              status: response.statusCode ?? 0,
              headers: response.headers,
              body: Buffer.concat(chunks).toString(),
            }),
          );
        },
      );
      sent.once("error", fail);
      sent.end(body);
    });
  }
}

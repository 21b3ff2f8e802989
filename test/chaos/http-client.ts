/** Small requests over kept connections. A million of them have to fit beside the runtime on two cores. */
import { Agent, request } from "node:http";

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export class HttpClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** Rejects when the connection fails or the answer takes longer than `timeoutMs`. */
  send(
    method: string,
    path: string,
    host: string,
    body: string | null,
    timeoutMs: number,
  ): Promise<Answer> {
    return new Promise((done, fail) => {
      const sent = request(
        {
          agent: this.#agent,
          host: "127.0.0.1",
          port: this.#port,
          method,
          path,
          headers: { host },
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (chunk: string) => (text += chunk));
          response.on("end", () => done({ status: response.statusCode ?? 0, text }));
          response.on("error", fail);
        },
      );
      sent.setTimeout(timeoutMs, () => sent.destroy(new Error(`no answer in ${timeoutMs} ms`)));
      sent.on("error", fail);
      sent.end(body ?? undefined);
    });
  }

  async post<T>(path: string, body: unknown, timeoutMs: number): Promise<T> {
    const answer = await this.send("POST", `/${path}`, "control", JSON.stringify(body), timeoutMs);
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${answer.text}`);
    return JSON.parse(answer.text) as T;
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** One request with a bound on how long it may take altogether, over whatever connections the caller wants. */
import { request, type Agent, type IncomingHttpHeaders } from "node:http";

export interface Question {
  readonly method?: string;
  readonly path: string;
  readonly host: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** `false`: a connection of its own. */
  readonly agent: Agent | false;
  readonly msMax: number;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** It neither was answered nor failed in time. */
export class Hang extends Error {}

/** Rejects with a Hang, or with what the connection died of. */
export function ask(port: number, question: Question): Promise<Answer> {
  const { method = "GET", path, host, headers = {}, body, agent, msMax } = question;
  const startedAt = performance.now();
  return new Promise((done, fail) => {
    const asking = request(
      { agent, host: "127.0.0.1", port, method, path, headers: { host, ...headers } },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (chunk: string) => (text += chunk));
        response.once("error", (error) => end(() => fail(error)));
        response.once("end", () => {
          const { statusCode: status = 0, headers: given } = response;
          end(() => done({ status, headers: given, text, startedAt, endedAt: performance.now() }));
        });
      },
    );
    const timer = setTimeout(() => {
      fail(new Hang(`${method} ${host}${path}: neither answer nor error in ${msMax} ms`));
      asking.destroy();
    }, msMax);
    const end = (settle: () => void) => {
      clearTimeout(timer);
      settle();
    };
    asking.once("error", (error) => end(() => fail(error)));
    asking.end(body);
  });
}

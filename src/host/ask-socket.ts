/** One question to a process of this host, over HTTP on one of its Unix sockets. */
import { request, type Agent } from "node:http";

export interface SocketQuestion {
  readonly socketPath: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** False: a connection for this question alone. */
  readonly agent: Agent | false;
  readonly timeoutMs: number;
  /** Sent as JSON. */
  readonly body?: unknown;
}

export interface SocketAnswer {
  readonly status: number;
  readonly text: string;
}

/** Undefined if there was no whole answer in time. Never throws. */
export function askSocket(question: SocketQuestion): Promise<SocketAnswer | undefined> {
  const { socketPath, method, path, headers, agent, timeoutMs, body } = question;
  return new Promise((done) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const asking = request({ socketPath, method, path, headers, agent, signal }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk) => (text += chunk));
      response.once("error", () => done(undefined));
      response.once("end", () => done({ status: response.statusCode ?? 0, text }));
    });
    asking.once("error", () => done(undefined));
    asking.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

/** A visitor's request: to one address, with whatever Host header the test wants, which `fetch` does not allow. */
import { Agent, request, type IncomingHttpHeaders } from "node:http";

export interface Visit {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Just before the request was sent and just after its answer had arrived, on one clock, in milliseconds. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface VisitOptions {
  readonly path?: string | undefined;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

const agent = new Agent({ keepAlive: true });

/** `host` without a port goes out with the port appended, as a browser would. */
export function visit(port: number, host: string, options: VisitOptions = {}): Promise<Visit> {
  const { path = "/", method = "GET", headers = {}, body } = options;
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        agent,
        host: "127.0.0.1",
        port,
        path,
        method,
        setHost: false,
        headers: { host: host.includes(":") ? host : `${host}:${port}`, ...headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(chunks).toString("utf8"),
            startedAt,
            endedAt: performance.now(),
          }),
        );
      },
    );
    sent.once("error", reject);
    sent.end(body);
  });
}

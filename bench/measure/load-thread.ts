/**
 * A closed loop of requests over kept-alive connections, in a thread of its own. It reads HTTP by hand:
 * Node's client costs more than the Worker it would measure, and would hide what a gateway adds.
 */
import { connect, type Socket } from "node:net";
import { parentPort } from "node:worker_threads";
import { quantile } from "./statistics.ts";

export interface LoadOrder {
  readonly port: number;
  /** The Host header, which decides what is asked: each connection goes through all of these in turn. */
  readonly hosts: readonly string[];
  /** "/" unless it is said. */
  readonly path?: string;
  readonly connections: number;
  /** Not counted, in milliseconds. */
  readonly warmMs: number;
  readonly measureMs: number;
  /** Every answer has to be 200 and hold this text. */
  readonly expected: string;
}

export interface LoadReport {
  /** Answers, also those that are not counted otherwise. */
  readonly answers: number;
  readonly requestsPerSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

parentPort?.on("message", (order: LoadOrder) => {
  runLoad(order).then(
    (report) => parentPort?.postMessage({ report }),
    (error: unknown) => parentPort?.postMessage({ failure: String(error) }),
  );
});

async function runLoad(order: LoadOrder): Promise<LoadReport> {
  const startAt = performance.now() + order.warmMs;
  const endAt = startAt + order.measureMs;
  const latencies: number[] = [];
  let answers = 0;
  let lastAt = endAt;
  await Promise.all(
    Array.from({ length: order.connections }, (_, connection) =>
      ask(order, connection, (askedAt, answeredAt) => {
        answers++;
        if (askedAt < startAt) return "go on";
        latencies.push(answeredAt - askedAt);
        lastAt = Math.max(lastAt, answeredAt);
        return answeredAt < endAt ? "go on" : "stop";
      }),
    ),
  );
  const sorted = Float64Array.from(latencies).sort();
  return {
    answers,
    requestsPerSecond: (latencies.length / (lastAt - startAt)) * 1000,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
  };
}

/** One connection, one request at a time, for as long as `answered` says. */
function ask(
  { port, hosts, path = "/", expected }: LoadOrder,
  connection: number,
  answered: (askedAt: number, answeredAt: number) => "go on" | "stop",
): Promise<void> {
  return new Promise((done, fail) => {
    const requests = hosts.map((host) => `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
    // Not all begin with the same one.
    let turn = connection % hosts.length;
    const socket: Socket = connect({ port, host: "127.0.0.1", noDelay: true });
    let received = "";
    let askedAt = 0;
    const send = () => {
      received = "";
      askedAt = performance.now();
      socket.write(requests[turn] ?? "");
    };
    socket.setEncoding("latin1");
    socket.once("connect", send);
    socket.once("error", fail);
    socket.once("close", () => fail(new Error(`${hosts[turn]} closed a connection`)));
    socket.on("data", (chunk) => {
      received += String(chunk);
      if (!isWhole(received)) return;
      const now = performance.now();
      if (!received.startsWith("HTTP/1.1 200 ") || !received.includes(expected)) {
        fail(new Error(`${hosts[turn]} answered ${received.slice(0, 500)}`));
        socket.destroy();
        return;
      }
      turn = (turn + 1) % hosts.length;
      if (answered(askedAt, now) === "go on") return send();
      done();
      socket.destroy();
    });
  });
}

function isWhole(text: string): boolean {
  const headEnd = text.indexOf("\r\n\r\n");
  if (headEnd === -1) return false;
  const length = /\r\ncontent-length: (\d+)/i.exec(text);
  return length ? text.length >= headEnd + 4 + Number(length[1]) : text.endsWith("\r\n0\r\n\r\n");
}

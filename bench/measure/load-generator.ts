/** The load thread from outside: one order at a time, one thread for all, so that it is always warm. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { LoadOrder, LoadReport } from "./load-thread.ts";

export class LoadGenerator {
  readonly #thread = new Worker(new URL("load-thread.ts", import.meta.url));

  async run(order: LoadOrder): Promise<LoadReport> {
    this.#thread.postMessage(order);
    const [answer] = (await once(this.#thread, "message")) as [
      { readonly report: LoadReport } | { readonly failure: string },
    ];
    if ("failure" in answer) throw new Error(`The load generator stopped: ${answer.failure}.`);
    return answer.report;
  }

  async stop(): Promise<void> {
    await this.#thread.terminate();
  }
}

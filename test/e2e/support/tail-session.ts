/** A real `wrangler tail` that runs while a test does something. */
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";
import { expect } from "vitest";
import type { Project } from "./project.ts";
import { startWrangler } from "./wrangler.ts";

/** One event as wrangler prints it. */
export interface ShownEvent {
  readonly outcome: string;
  readonly scriptName: string;
  readonly scriptVersion: { readonly id: string };
  readonly entrypoint: string | null;
  readonly eventTimestamp: number;
  readonly wallTime: number;
  readonly logs: readonly { readonly message: readonly unknown[]; readonly level: string }[];
  readonly exceptions: readonly {
    readonly name: string;
    readonly message: string;
    readonly stack?: string;
  }[];
  readonly diagnosticsChannelEvents: readonly unknown[];
  // oxlint-disable-next-line typescript/no-explicit-any -- each kind of event has its own shape
  readonly event: any;
}

export class TailSession {
  readonly #child: ReturnType<typeof startWrangler>;
  #stdout = "";
  #output = "";

  /** `args`: what follows `wrangler tail`. */
  constructor(project: Project, ...args: string[]) {
    this.#child = startWrangler(project.host, project.directory, ["tail", ...args]);
    this.#child.stdout.on("data", (chunk: Buffer) => {
      this.#stdout += chunk.toString("utf8");
      this.#output += chunk.toString("utf8");
    });
    this.#child.stderr.on("data", (chunk: Buffer) => (this.#output += chunk.toString("utf8")));
  }

  /** Everything printed so far, without colours. */
  get output(): string {
    return stripVTControlCharacters(this.#output);
  }

  /** With `--format json`, as it is without a terminal. */
  get events(): ShownEvent[] {
    const whole = this.#stdout.slice(0, this.#stdout.lastIndexOf("\n}") + 2);
    return whole
      .split(/\n(?=\{)/)
      .filter((text) => text.trim() !== "")
      .map((text) => JSON.parse(text) as ShownEvent);
  }

  /** null while it runs. */
  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  /** Resolves when it is connected: `sample` makes something happen that passes its filters. */
  async started(sample: () => Promise<unknown>): Promise<void> {
    const shown = async () => {
      if (this.#child.exitCode !== null) throw new Error(`wrangler tail ended:\n${this.output}`);
      await sample();
      return this.#stdout;
    };
    await expect.poll(shown, { timeout: 20_000, interval: 100 }).not.toBe("");
  }

  /** The first event for which it holds, as soon as it is shown. */
  async shown(is: (event: ShownEvent) => boolean): Promise<ShownEvent> {
    await expect.poll(() => this.events.some(is), { timeout: 10_000, interval: 50 }).toBe(true);
    return this.events.find(is)!;
  }

  /** Ctrl+C. The exit code. */
  async stop(signal: NodeJS.Signals = "SIGINT"): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    this.#child.kill(signal);
    await once(this.#child, "exit");
    return this.#child.exitCode;
  }
}

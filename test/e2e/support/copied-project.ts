/** A project of `test/projects`, as it lies there but for the ids of its resources, in a directory of its own. */
import { cpSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "./temporary-directory.ts";
import type { TestHost } from "./test-host.ts";
import { wranglerOk, type WranglerRun } from "./wrangler.ts";

const PROJECTS = fileURLToPath(new URL("../../projects", import.meta.url));
const NODE_MODULES = fileURLToPath(new URL("../../../node_modules", import.meta.url));

export class CopiedProject {
  readonly name: string;
  readonly directory: string;
  readonly #host: TestHost;

  constructor(host: TestHost, name: string) {
    this.#host = host;
    this.name = name;
    this.directory = join(temporaryDirectory(), name);
    cpSync(join(PROJECTS, name), this.directory, { recursive: true });
    symlinkSync(NODE_MODULES, join(this.directory, "node_modules"));
  }

  /** The Worker's own host. */
  get address(): string {
    return `${this.name}.localhost`;
  }

  /** Fills a resource's id in, where the configuration has a word for it. */
  withId(word: string, id: string): this {
    return this.edit("wrangler.toml", (text) => text.replaceAll(word, id));
  }

  edit(file: string, change: (text: string) => string): this {
    const path = join(this.directory, file);
    writeFileSync(path, change(readFileSync(path, "utf8")));
    return this;
  }

  /** Runs wrangler here; it has to succeed. */
  wrangler(...args: string[]): Promise<WranglerRun> {
    return wranglerOk(this.#host, this.directory, args);
  }

  deploy(): Promise<WranglerRun> {
    return this.wrangler("deploy");
  }
}

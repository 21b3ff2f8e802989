/** A small project in a directory of its own, as a team keeps it in its repository. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryDirectory } from "./temporary-directory.ts";
import type { TestHost } from "./test-host.ts";
import { wrangler, wranglerOk, type WranglerRun } from "./wrangler.ts";

export class Project {
  readonly directory = temporaryDirectory();
  readonly host: TestHost;
  readonly name: string;

  /** `config` is further lines of wrangler.toml: top-level keys first, then tables. */
  constructor(host: TestHost, name: string, source: string, config = "") {
    this.host = host;
    this.name = name;
    this.write(
      "wrangler.toml",
      `name = "${name}"\nmain = "src/index.js"\ncompatibility_date = "2026-10-01"\n${config}\n`,
    );
    this.source(source);
  }

  /** The Worker's own host. */
  get workersHost(): string {
    return `${this.name}.localhost`;
  }

  source(text: string): this {
    return this.write("src/index.js", text);
  }

  write(file: string, text: string): this {
    const path = join(this.directory, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return this;
  }

  remove(file: string): this {
    rmSync(join(this.directory, file));
    return this;
  }

  /** Runs wrangler here; it has to succeed. */
  wrangler(...args: string[]): Promise<WranglerRun> {
    return wranglerOk(this.host, this.directory, args);
  }

  /** Runs wrangler here, however it ends. */
  tryWrangler(...args: string[]): Promise<WranglerRun> {
    return wrangler(this.host, this.directory, args);
  }

  /** The same with a file of the project as its input. */
  wranglerWithInput(file: string, ...args: string[]): Promise<WranglerRun> {
    return wrangler(this.host, this.directory, args, {}, join(this.directory, file));
  }

  /** `wrangler deploy` of `source`; gives the version that it made. */
  async deploy(source: string, ...args: string[]): Promise<string> {
    return printedVersion(await this.source(source).wrangler("deploy", ...args));
  }

  /** `wrangler versions upload` of `source`; gives the version that it made. */
  async upload(source: string, ...args: string[]): Promise<string> {
    return printedVersion(await this.source(source).wrangler("versions", "upload", ...args));
  }
}

function printedVersion({ output }: WranglerRun): string {
  const id = /(?:Current Version ID|Worker Version ID): ([0-9a-f-]{36})/.exec(output)?.[1];
  if (id === undefined) throw new Error(`wrangler printed no version id:\n${output}`);
  return id;
}

/** A Worker whose every answer is `text`. */
export const says = (text: string): string =>
  `export default { fetch() { return new Response(${JSON.stringify(text)}); } };\n`;

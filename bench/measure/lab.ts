/** What a benchmark works with. Whatever it starts ends with it, and nothing stays on disk. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiClient } from "../servers/api-client.ts";
import {
  startHostProcess,
  type Fixture,
  type HostProcess,
  type HostSettings,
  type Topology,
} from "../servers/host-process.ts";
import { startRawWorkerd, type RawWorkerd } from "../servers/raw-workerd.ts";
import { LoadGenerator } from "./load-generator.ts";

export class Lab implements AsyncDisposable {
  /** Seconds instead of minutes: shows that everything works, not how fast it is. */
  readonly quick: boolean;
  readonly #stops: (() => Promise<void>)[] = [];
  readonly #directories: string[] = [];
  #load: LoadGenerator | undefined;

  constructor(quick: boolean) {
    this.quick = quick;
    process.on("exit", this.#removeDirectories);
  }

  get load(): LoadGenerator {
    return (this.#load ??= new LoadGenerator());
  }

  directory(): string {
    const path = mkdtempSync(join(tmpdir(), "switchback-bench-"));
    this.#directories.push(path);
    return path;
  }

  /** As `npm start` runs it. */
  host(
    worker: "switchback" | Fixture = "switchback",
    directory: string = this.directory(),
    settings: HostSettings = {},
  ): Promise<HostProcess> {
    return this.#start("host", worker, directory, settings);
  }

  /** The same script as one Worker in one process. */
  oneProcess(
    worker: "switchback" | Fixture = "switchback",
    settings: HostSettings = {},
  ): Promise<HostProcess> {
    return this.#start("one process", worker, this.directory(), settings);
  }

  async rawWorkerd(): Promise<RawWorkerd> {
    const workerd = await startRawWorkerd(this.directory());
    this.#stops.push(() => workerd.stop());
    return workerd;
  }

  api(host: HostProcess): ApiClient {
    const client = new ApiClient(host.port);
    this.#stops.push(async () => client.close());
    return client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#load?.stop();
    for (const stop of this.#stops.toReversed()) await stop();
    this.#removeDirectories();
    process.off("exit", this.#removeDirectories);
  }

  async #start(
    topology: Topology,
    worker: "switchback" | Fixture,
    directory: string,
    settings: HostSettings,
  ): Promise<HostProcess> {
    const host = await startHostProcess(topology, worker, directory, settings);
    this.#stops.push(() => host.stop());
    return host;
  }

  readonly #removeDirectories = (): void => {
    for (const path of this.#directories) rmSync(path, { recursive: true, force: true });
  };
}

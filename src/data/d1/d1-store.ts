import { WorkerEntrypoint } from "cloudflare:workers";
import type {
  D1Answer,
  D1Dump,
  D1DumpOptions,
  D1ImportState,
  D1Request,
  D1Size,
} from "../../domain/d1.ts";
import type { D1DatabaseObject } from "./d1-database-object.ts";
import { brokenAtCommit } from "./foreign-keys.ts";

/** An object's methods as its callers have them: each answer comes later. */
type Calls<T> = {
  readonly [Name in keyof T]: T[Name] extends (...args: infer Args) => infer Answer
    ? (...args: Args) => Promise<Awaited<Answer>>
    : never;
};

/** The door to D1 databases: each call names its database by id, and is passed on to the object that keeps it. */
export class D1Store extends WorkerEntrypoint<Env> {
  /** See `AttemptDoor`. */
  ping(): void {}

  async query(databaseId: string, request: D1Request): Promise<D1Answer> {
    try {
      return await this.#database(databaseId).query(request);
    } catch (error) {
      const broken = brokenAtCommit(error);
      if (broken === null) throw error;
      return { ok: false, error: broken };
    }
  }

  importSql(
    databaseId: string,
    importId: string,
    file: ReadableStream<Uint8Array>,
    bytes: number,
  ): Promise<D1ImportState> {
    return this.#database(databaseId).importSql(importId, file, bytes);
  }

  importState(databaseId: string, importId: string): Promise<D1ImportState> {
    return this.#database(databaseId).importState(importId);
  }

  dump(databaseId: string, options: D1DumpOptions): Promise<D1Dump> {
    return this.#database(databaseId).dump(options);
  }

  isDumping(databaseId: string): Promise<boolean> {
    return this.#database(databaseId).isDumping();
  }

  size(databaseId: string): Promise<D1Size> {
    return this.#database(databaseId).size();
  }

  erase(databaseId: string): Promise<void> {
    return this.#database(databaseId).erase();
  }

  #database(databaseId: string): Calls<D1DatabaseObject> {
    return this.env.D1_DATABASES.getByName(databaseId) as unknown as Calls<D1DatabaseObject>;
  }
}

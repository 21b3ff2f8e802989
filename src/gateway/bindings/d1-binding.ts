import { WorkerEntrypoint } from "cloudflare:workers";
import { storeOf } from "../../data/stores.ts";
import { onlyReads } from "../../domain/d1-statements.ts";
import { parseD1Request, type D1Answer } from "../../domain/d1.ts";
import { D1_RETRY_MS_MAX } from "../../domain/limits-d1.ts";
import { reach } from "./reach.ts";

export interface D1BindingProps {
  /** Empty: there is none any more. */
  readonly databaseId: string;
}

/** What a version holds of a D1 database: it can run SQL in that one, and nothing else. */
export function defineD1Binding<Env>() {
  return class D1Binding extends WorkerEntrypoint<Env, D1BindingProps> {
    async query(asked: unknown): Promise<D1Answer> {
      const { databaseId } = this.ctx.props;
      if (databaseId === "") return { ok: false, error: "The database was deleted." };
      const request = parseD1Request(asked);
      if (!request.ok) return { ok: false, error: request.error };
      const idempotent = request.value.queries.every(({ sql }) => onlyReads(sql));
      const store = storeOf(this.env, this.ctx, "D1Store");
      const door = { name: "D1Store", ping: () => store.ping() };
      return reach("D1", { idempotent, retryMsMax: D1_RETRY_MS_MAX, door }, () =>
        store.query(databaseId, request.value),
      );
    }
  };
}

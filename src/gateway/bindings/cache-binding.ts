import { WorkerEntrypoint } from "cloudflare:workers";
import type { CacheKey } from "../../data/cache/cache-store.ts";
import { storeOf } from "../../data/stores.ts";
import { reach } from "./reach.ts";

interface CacheBindingProps {
  /** Whose caches these are. */
  readonly workerId: string;
}

type Headers = CacheKey["headers"];

/** The broker of `caches`. A cache may lose anything at any time, so one that cannot be reached is an empty one. */
export function defineCacheBinding<Env>() {
  return class CacheBinding extends WorkerEntrypoint<Env, CacheBindingProps> {
    /** `cache` null: `caches.default`. Null when nothing is there that could be used. */
    async match(cache: string | null, url: string, headers: Headers): Promise<Response | null> {
      const key = this.#key(cache, url, headers);
      return this.#reach(true, (store) => store.match(key), null);
    }

    async put(cache: string | null, url: string, headers: Headers, response: Response) {
      if (!(response instanceof Response)) throw new TypeError("not a response");
      const key = this.#key(cache, url, headers);
      await this.#reach(false, (store) => store.put(key, response), undefined);
    }

    /** Whether it was there. */
    async delete(cache: string | null, url: string, headers: Headers): Promise<boolean> {
      const key = this.#key(cache, url, headers);
      return this.#reach(true, (store) => store.delete(key), false);
    }

    #key(cache: unknown, url: unknown, headers: unknown): CacheKey {
      const pairs = Array.isArray(headers) ? (headers as unknown[]) : [];
      return {
        workerId: this.ctx.props.workerId,
        cache: typeof cache === "string" ? cache : null,
        url: String(url),
        headers: pairs.map((pair) => {
          const [name, value] = pair as readonly unknown[];
          return [String(name), String(value)] as const;
        }),
      };
    }

    async #reach<T>(
      idempotent: boolean,
      call: (store: ReturnType<typeof storeOf<"CacheStore">>) => Promise<T>,
      otherwise: T,
    ): Promise<T> {
      const { env, ctx } = this;
      try {
        return await reach("Cache", { idempotent }, () => call(storeOf(env, ctx, "CacheStore")));
      } catch (error) {
        if ((error as { remote?: unknown }).remote === true) throw error;
        return otherwise;
      }
    }
  };
}

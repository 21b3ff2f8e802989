/**
 * Runs in a version's isolate before any of its code, and makes its bindings what the Workers API says they are.
 * It is the version's to tamper with: nothing that it says is trusted.
 */
import { env as importedEnv } from "cloudflare:workers";
import { installCaches } from "./caches.ts";
import { makers } from "./makers.ts";
import type { RawBinding } from "./raw-binding.ts";
import { unavailable } from "./unavailable.ts";

/** The `env` entry that carries {@link EnvInfo}; the gateway's `ENV_INFO`. */
const ENV_INFO = "__switchback";

interface EnvInfo {
  /** Behind `caches`. */
  readonly caches: Fetcher;
  readonly bindings: readonly RawBinding[];
}

export { durableObjectClass } from "./durable-object-class.ts";
export { runQueue, runScheduled } from "./events.ts";

const env = importedEnv as unknown as Record<string, unknown>;
const info = env[ENV_INFO] as EnvInfo;
delete env[ENV_INFO];
installCaches(info.caches);

for (const raw of info.bindings) {
  const value = (makers[raw.type] ?? unavailable)(raw);
  Object.defineProperty(env, raw.name, {
    value,
    enumerable: true,
    configurable: true,
    writable: true,
  });
}

/** What wrangler.toml cannot name: secrets, and bindings that only some hosts give. */
interface UnlistedEnv {
  /** Hex SHA-256 of the root API token. */
  readonly ROOT_TOKEN_SHA256: string;
  /** `<key id>:<base64 of 32 random bytes>`. */
  readonly SECRETS_KEY: string;
  /** Reaches public addresses only, checked after name resolution. Absent on Cloudflare, whose network is that already. */
  readonly INTERNET?: Fetcher;
  /** Where one machine runs this script in several processes: which one this is. Absent: all in one. */
  readonly ROLE?: "control" | "gateway" | "data" | "sql" | "objects";
  /** Of a gateway process: its name, never that of an earlier one. */
  readonly GATEWAY_NAME?: string;
  /** Of a gateway process: the control plane's door, by RPC. */
  readonly CONTROL?: Fetcher;
  /** Of a gateway process whose dispatches are announced: the supervisor that they are announced to. */
  readonly SUPERVISOR?: Fetcher;
  /** Of the control process: the gateway process in which uploads are started once, by RPC. */
  readonly TRIAL?: Fetcher;
  /** The doors to stores in other processes, by RPC; see data/stores. */
  readonly KV_STORE?: Fetcher;
  readonly R2_STORE?: Fetcher;
  readonly D1_STORE?: Fetcher;
  readonly QUEUE_STORE?: Fetcher;
  readonly CACHE_STORE?: Fetcher;
  readonly ANALYTICS_STORE?: Fetcher;
  readonly RATE_LIMIT_STORE?: Fetcher;
  /** Of the control and the data process: the supervisor, that brings events to a gateway. */
  readonly EVENTS?: Fetcher;
  /** Of gateway processes: where to ask which of `OBJECTS_0`, `OBJECTS_1`, … has a Worker's Durable Objects. */
  readonly OBJECTS_DIRECTORY?: Fetcher;
  /** Of an objects process: whose Durable Objects it runs. */
  readonly WORKER_ID?: string;
  /** Test hosts only; see control/fault-point. */
  readonly FAULT_POINT?: string;
}
interface Env extends UnlistedEnv {}
declare namespace Cloudflare {
  interface Env extends UnlistedEnv {}
}

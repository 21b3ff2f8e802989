/** What wrangler.toml cannot name: secrets, and bindings that only some hosts give. */
interface UnlistedEnv {
  /** Hex SHA-256 of the root API token. */
  readonly ROOT_TOKEN_SHA256: string;
  /** `<key id>:<base64 of 32 random bytes>`. */
  readonly SECRETS_KEY: string;
  /** Reaches public addresses only, checked after name resolution. Absent on Cloudflare, whose network is that already. */
  readonly INTERNET?: Fetcher;
  /** Test hosts only; see control/fault-point. */
  readonly FAULT_POINT?: string;
}
interface Env extends UnlistedEnv {}
declare namespace Cloudflare {
  interface Env extends UnlistedEnv {}
}

/** What the gateway hands in for one binding; the other side of `gateway/bindings/raw-binding`. */
export interface RawBinding {
  readonly name: string;
  /** As the version declares it: `kv_namespace`, `r2_bucket`, … */
  readonly type: string;
  readonly stub?: Fetcher;
  readonly [field: string]: unknown;
}

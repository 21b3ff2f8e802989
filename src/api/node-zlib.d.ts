/** What is used of Node's zlib. The whole of Node's types would bring globals that workerd does not have. */
declare module "node:zlib" {
  interface InflateOptions {
    /** Bytes; one more is a RangeError. */
    readonly maxOutputLength: number;
  }
  export function gunzipSync(bytes: Uint8Array, options: InflateOptions): Uint8Array;
  export function inflateSync(bytes: Uint8Array, options: InflateOptions): Uint8Array;
}

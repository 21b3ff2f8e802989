/** Cloudflare's own asset Worker, as Miniflare brings it. */
declare module "*/assets.worker.js" {
  export const AssetWorkerInner: new (
    ctx: unknown,
    env: unknown,
  ) => {
    fetch(request: Request): Promise<Response>;
    unstable_canFetch(request: Request): Promise<boolean>;
    unstable_exists: (path: string) => Promise<string | null>;
    unstable_getByETag: (etag: string) => Promise<unknown>;
  };
}

import { WorkerEntrypoint } from "cloudflare:workers";
import type { AssetSubject } from "../assets/asset-server.ts";
import type { Gateway } from "../gateway.ts";

/** What a version's `assets` binding leads to: that very version's files, whatever is deployed. Which, its props say alone. */
export function defineAssetsBinding<Env>(gatewayOf: (env: Env) => Gateway) {
  return class AssetsBinding extends WorkerEntrypoint<Env, AssetSubject> {
    override fetch(request: Request): Promise<Response> {
      return gatewayOf(this.env).fetchAsset(this.ctx.props, request);
    }
  };
}

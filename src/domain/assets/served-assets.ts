/** A version's static assets on their way to a gateway. */
import type { StoredAssetsConfig } from "./assets-config.ts";

export interface ServedAssets {
  /** The text that `readAssetFiles` reads. */
  readonly files: string;
  readonly config: StoredAssetsConfig;
  /** There is no Worker besides. */
  readonly assetsOnly: boolean;
  /** Browsers that go to a page get what `not_found_handling` has before the Worker is asked. */
  readonly prefersPages: boolean;
}

const ENABLE = "assets_navigation_prefers_asset_serving";
const DISABLE = "assets_navigation_has_no_effect";
const ON_FROM = "2025-04-01";

/** As Cloudflare's compatibility flag of this name says. */
export const prefersPages = (date: string, flags: readonly string[]): boolean =>
  flags.includes(ENABLE) || (date >= ON_FROM && !flags.includes(DISABLE));

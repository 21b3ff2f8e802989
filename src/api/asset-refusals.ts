/** What is wrong with static assets, or with the way in which they come. */
import { bad, refusal, type Kind, type WireRefusal } from "./wire-refusal.ts";

type AssetError = Kind<
  "asset_session_invalid" | "assets_invalid" | "assets_incomplete" | "asset_rules_invalid"
>;

export function assetRefusal(error: AssetError): WireRefusal {
  switch (error.kind) {
    case "asset_session_invalid":
      return refusal(
        403,
        130110,
        `The token of the upload of assets cannot be used: ${error.detail} Start anew with POST …/scripts/:name/assets-upload-session; what was uploaded is kept.`,
      );
    case "assets_invalid":
      return bad(130111, error.detail);
    case "assets_incomplete":
      return bad(
        130112,
        `${error.missing} of the files that the manifest names were never uploaded, e.g. ${error.example}. Upload them (POST …/workers/assets/upload), then upload the version again.`,
      );
    case "asset_rules_invalid":
      // Cloudflare's code and first line.
      return bad(100324, `Invalid ${error.file} configuration:\n${error.lines.join("\n")}`);
  }
}

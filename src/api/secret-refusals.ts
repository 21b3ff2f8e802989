/** Why a secret, or another setting of a version, was not changed by itself. Cloudflare's codes and texts where they are known. */
import { LOCK_RETRY_AFTER_SECONDS } from "../domain/limits.ts";
import { bad, refusal, type Kind, type WireRefusal } from "./wire-refusal.ts";

export function secretRefusal(
  error: Kind<"secret_not_found" | "latest_not_deployed" | "binding_is_no_secret" | "latest_moved">,
): WireRefusal {
  switch (error.kind) {
    case "secret_not_found":
      return refusal(
        404,
        10056,
        `Binding '${error.name}' not found: this Worker has no such secret. Nothing was changed. wrangler secret list shows those it has.`,
      );
    case "latest_not_deployed":
      return error.changing === "secret"
        ? bad(
            10215,
            "Secret edit failed. You attempted to modify a secret, but the latest version of your Worker isn't currently deployed. Please ensure that the latest version of your Worker is fully deployed (wrangler versions deploy) before modifying secrets. Alternatively, make a version with the secret without deploying it (wrangler versions secret put). Nothing was changed.",
          )
        : bad(
            10214,
            "Script edit failed. You attempted to deploy the latest version with modified settings, but the latest version isn't currently deployed. Either upload a new version to edit the version settings, or use the script-level settings API (/workers/scripts/{script_name}/script-settings). Nothing was changed.",
          );
    case "binding_is_no_secret":
      return bad(
        130029,
        `${error.name} is a binding of the type ${error.type}, not a secret. Nothing was changed. Choose another name, or take that binding out of the configuration and deploy first.`,
      );
    case "latest_moved":
      return {
        ...refusal(
          503,
          130037,
          "Others changed the Worker's latest version again and again meanwhile. Nothing was changed; try again in a moment.",
        ),
        retryAfterSeconds: LOCK_RETRY_AFTER_SECONDS,
      };
  }
}

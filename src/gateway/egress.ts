import { WorkerEntrypoint } from "cloudflare:workers";
import { normalizeHost } from "../domain/routing.ts";
import type { ReadScope } from "./current-deployment.ts";
import { messageOf } from "./gateway-errors.ts";
import { privateHostReason } from "./public-address.ts";
import type { EgressProps } from "./request-scope.ts";

export interface EgressPolicy {
  /** `open` lets private addresses pass; it never opens the control hosts. */
  readonly mode: "public" | "open";
  /** Host names, lower case, without ports. */
  readonly controlHosts: ReadonlySet<string>;
  readonly deniedHosts: ReadonlySet<string>;
  /** Whether this Switchback answers there itself. */
  readonly serves: (url: URL) => Promise<boolean>;
  /** A network that checks addresses after name resolution; null where the platform's own does. */
  readonly internet: Fetcher | null;
}

/**
 * The way out for deployed code, and all of it: only `fetch` is here, for every public method would be the
 * code's to call. Redirects come back as new calls, so each hop is checked.
 */
export function defineEgress<Env>(policyOf: (env: Env, scope: ReadScope) => EgressPolicy) {
  return class Egress extends WorkerEntrypoint<Env, EgressProps> {
    override fetch(request: Request): Promise<Response> {
      return egressFetch(policyOf(this.env, this.ctx), request);
    }
  };
}

/** Throws, in a sentence for the code's author, when the request may not or cannot go out. */
export async function egressFetch(policy: EgressPolicy, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const reason = await refusalReason(policy, url);
  if (reason) throw new Error(`fetch to ${url.hostname} is refused: ${reason}.`);
  try {
    return await (policy.internet ? policy.internet.fetch(request) : fetch(request));
  } catch (error) {
    throw new Error(failureText(url, messageOf(error), policy), { cause: error });
  }
}

async function refusalReason(policy: EgressPolicy, url: URL): Promise<string | null> {
  const host = normalizeHost(url.hostname);
  if (policy.controlHosts.has(host)) return "it is a host of the control plane";
  if (policy.deniedHosts.has(host)) return "the operator denies this host to deployed code";
  if (await policy.serves(url)) {
    return "this Switchback serves it itself; use a service binding to call another Worker";
  }
  return policy.mode === "open" ? null : privateHostReason(host);
}

/** The network's refusals come as internal errors that say nothing to the code's author. */
function failureText(url: URL, message: string, policy: EgressPolicy): string {
  if (!message.startsWith("internal error")) return `fetch to ${url.hostname} failed: ${message}`;
  return policy.mode === "public"
    ? `fetch to ${url.hostname} failed: the host cannot be reached, or its address is not public.`
    : `fetch to ${url.hostname} failed: the host cannot be reached.`;
}

import { GATEWAY_RETRY_AFTER_SECONDS, STOPPED_RETRY_AFTER_SECONDS } from "../domain/limits.ts";

/** Errors of the platform, as `x-switchback-error` names them. A Worker's own answers never carry that header. */
export type GatewayErrorKind =
  | "no_such_host"
  | "no_deployment"
  | "preview_not_found"
  | "preview_disabled"
  | "worker_threw"
  | "version_failed_to_load"
  | "version_stopped"
  | "control_plane_unavailable";

interface Page {
  readonly status: number;
  readonly title: string;
  readonly text: string;
  /** For pages that are 503. */
  readonly retryAfterSeconds?: number;
}

const PAGES: Readonly<Record<GatewayErrorKind, Page>> = {
  no_such_host: {
    status: 404,
    title: "Nothing answers on this host",
    text: "No route, custom domain or Worker has this address. If it was just made, check its spelling.",
  },
  no_deployment: {
    status: 404,
    title: "There is nothing here yet",
    text: "The Worker of this address has no deployment. Deploy one of its versions.",
  },
  preview_not_found: {
    status: 404,
    title: "No such preview",
    text: "The Worker has no version or alias of this name.",
  },
  preview_disabled: {
    status: 404,
    title: "Previews are switched off",
    text: "The Worker of this address does not serve previews.",
  },
  worker_threw: {
    status: 500,
    title: "Error 1101: Worker threw exception",
    text: "The Worker did not answer this request: its code threw an error.",
  },
  version_failed_to_load: {
    status: 500,
    title: "The version could not be started",
    text: "None of the Worker's code ran for this request. A rollback to a version that starts will help.",
  },
  version_stopped: {
    status: 503,
    title: "This version was stopped",
    text: "None of the Worker's code ran for this request. Others are served as before.",
    retryAfterSeconds: STOPPED_RETRY_AFTER_SECONDS,
  },
  control_plane_unavailable: {
    status: 503,
    retryAfterSeconds: GATEWAY_RETRY_AFTER_SECONDS,
    title: "It is not known which version is current",
    text: "The control plane did not answer, and nothing outdated is served instead. Try again in a moment.",
  },
};

/**
 * A page for one error: HTML for browsers, else plain text. `about` is what a visitor may know, like a version
 * id; never an error's own text.
 */
export function errorPage(
  request: Request,
  kind: GatewayErrorKind,
  requestId: string,
  about: string | null = null,
): Response {
  const page = PAGES[kind];
  const lines = [page.text, ...(about === null ? [] : [about]), `Request id: ${requestId}`];
  const html = request.headers.get("accept")?.includes("text/html") ?? false;
  const headers = new Headers({
    "content-type": html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-request-id": requestId,
    "x-switchback-error": kind,
  });
  if (page.retryAfterSeconds !== undefined) {
    headers.set("retry-after", String(page.retryAfterSeconds));
  }
  const body = html ? htmlOf(page.title, lines) : `${[page.title, ...lines].join("\n")}\n`;
  return new Response(body, { status: page.status, headers });
}

const htmlOf = (title: string, lines: readonly string[]): string => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem}</style>
<h1>${escapeHtml(title)}</h1>
${lines.map((line) => `<p>${escapeHtml(line)}</p>`).join("\n")}
</html>
`;

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

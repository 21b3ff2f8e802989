/** What is done with paths of pages, and with those of nothing. Cloudflare's words. */
export const HTML_HANDLING = [
  "auto-trailing-slash",
  "force-trailing-slash",
  "drop-trailing-slash",
  "none",
] as const;
export const NOT_FOUND_HANDLING = ["single-page-application", "404-page", "none"] as const;

export type HtmlHandling = (typeof HTML_HANDLING)[number];
export type NotFoundHandling = (typeof NOT_FOUND_HANDLING)[number];

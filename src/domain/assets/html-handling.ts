/**
 * Which file a path means: with or without `.html`, `index.html` and a slash at the end, as `html_handling` says. After
 * Cloudflare's own asset Worker, step for step: what is a redirect there is one here, to the same place.
 */
import type { AssetFile } from "./asset-files.ts";
import type { HtmlHandling } from "./asset-handling.ts";
import type { AssetsConfig } from "./assets-config.ts";

/** Paths are decoded and lie within the base path. */
export type FindFile = (path: string) => AssetFile | undefined;

export type Intent =
  | {
      readonly kind: "file";
      readonly file: AssetFile;
      readonly status: 200 | 404;
      /** It stands in for what there is not. */
      readonly isNotFound: boolean;
    }
  /** To another spelling of the path. */
  | { readonly kind: "redirect"; readonly to: string };

/** Tried in order: serve a file; or, if `file` is what `to` serves, redirect there. */
type Step = { readonly serve: string } | { readonly file: string; readonly to: string };

type Handling = Pick<AssetsConfig, "htmlHandling" | "notFoundHandling">;

/** null: there is nothing for this path. */
export function findIntent(path: string, handling: Handling, find: FindFile): Intent | null {
  for (const step of STEPS[handling.htmlHandling](path)) {
    if ("serve" in step) {
      const file = find(step.serve);
      if (file !== undefined) return { kind: "file", file, status: 200, isNotFound: false };
    } else if (leadsTo(step.to, step.file, handling, find)) {
      return { kind: "redirect", to: step.to };
    }
  }
  return notFound(path, handling, find);
}

/** Whether whoever is sent to `to` gets `path` there, without being sent on. */
function leadsTo(to: string, path: string, handling: Handling, find: FindFile): boolean {
  const file = find(path);
  if (file === undefined || find(to) !== undefined) return false;
  return withoutRedirects(to, handling, find)?.etag === file.etag;
}

function withoutRedirects(path: string, handling: Handling, find: FindFile): AssetFile | undefined {
  for (const step of STEPS[handling.htmlHandling](path)) {
    const file = "serve" in step ? find(step.serve) : undefined;
    if (file !== undefined) return file;
  }
  const standIn = notFound(path, handling, find);
  return standIn?.kind === "file" ? standIn.file : undefined;
}

function notFound(path: string, { notFoundHandling }: Handling, find: FindFile): Intent | null {
  if (notFoundHandling === "single-page-application") {
    const file = find("/index.html");
    return file === undefined ? null : { kind: "file", file, status: 200, isNotFound: true };
  }
  if (notFoundHandling === "404-page") {
    let directory = path;
    while (directory !== "") {
      directory = directory.slice(0, Math.max(directory.lastIndexOf("/"), 0));
      const file = find(`${directory}/404.html`);
      if (file !== undefined) return { kind: "file", file, status: 404, isNotFound: true };
    }
  }
  return null;
}

const serve = (path: string): Step => ({ serve: path });
const redirect = (file: string, to: string): Step => ({ file, to });
const without = (path: string, end: string): string => path.slice(0, path.length - end.length);

const STEPS: Readonly<Record<HtmlHandling, (path: string) => readonly Step[]>> = {
  none: (path) => [serve(path)],

  "auto-trailing-slash"(path) {
    const common = [serve(path), serve(`${path}.html`), redirect(`${path}/index.html`, `${path}/`)];
    if (path.endsWith("/index")) {
      const directory = without(path, "/index");
      return [
        serve(path),
        redirect(`${path}.html`, `${directory}/`),
        redirect(`${directory}.html`, directory),
        ...common,
      ];
    }
    if (path.endsWith("/index.html")) {
      const directory = without(path, "/index.html");
      return [redirect(path, `${directory}/`), redirect(`${directory}.html`, directory), ...common];
    }
    if (path.endsWith("/")) {
      const name = without(path, "/");
      return [serve(`${path}index.html`), redirect(`${name}.html`, name), ...common];
    }
    if (path.endsWith(".html")) {
      const name = without(path, ".html");
      return [redirect(path, name), redirect(`${name}/index.html`, `${name}/`), ...common];
    }
    return common;
  },

  "force-trailing-slash"(path) {
    const common = [
      serve(path),
      redirect(`${path}.html`, `${path}/`),
      redirect(`${path}/index.html`, `${path}/`),
    ];
    if (path.endsWith("/index")) {
      const directory = without(path, "/index");
      return [
        serve(path),
        redirect(`${path}.html`, `${directory}/`),
        redirect(`${directory}.html`, `${directory}/`),
        ...common,
      ];
    }
    if (path.endsWith("/index.html")) {
      const directory = without(path, "/index.html");
      return [
        redirect(path, `${directory}/`),
        redirect(`${directory}.html`, `${directory}/`),
        ...common,
      ];
    }
    if (path.endsWith("/")) {
      return [serve(`${path}index.html`), serve(`${without(path, "/")}.html`), ...common];
    }
    if (path.endsWith(".html")) {
      const name = without(path, ".html");
      return [
        redirect(path, `${name}/`),
        serve(path),
        redirect(`${name}/index.html`, `${name}/`),
        ...common,
      ];
    }
    return common;
  },

  "drop-trailing-slash"(path) {
    const common = [serve(path), serve(`${path}.html`), serve(`${path}/index.html`)];
    if (path === "/") return [serve("/index.html"), ...common];
    if (path === "/index") return [serve(path), redirect("/index.html", "/"), ...common];
    if (path === "/index.html") return [redirect("/index.html", "/"), ...common];
    if (path.endsWith("/index")) {
      const directory = without(path, "/index");
      return [
        serve(path),
        redirect(`${directory}.html`, directory),
        redirect(`${path}.html`, directory),
        ...common,
      ];
    }
    if (path.endsWith("/index.html")) {
      const directory = without(path, "/index.html");
      return [
        redirect(path, directory),
        serve(path),
        redirect(`${directory}.html`, directory),
        ...common,
      ];
    }
    if (path.endsWith("/")) {
      const name = without(path, "/");
      return [redirect(`${name}.html`, name), redirect(`${name}/index.html`, name), ...common];
    }
    if (path.endsWith(".html")) {
      const name = without(path, ".html");
      return [redirect(path, name), redirect(`${name}/index.html`, name), ...common];
    }
    return common;
  },
};

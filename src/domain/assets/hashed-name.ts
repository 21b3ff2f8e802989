/**
 * Whether a file's name says what is in it, as build tools name files: `index-BxY12abc.js`, `app.3f2a1b9c.css`,
 * `chunk-PZ5AY32C.js`. Such a name never comes to mean anything else, so that an earlier version's file is as good as
 * this one's. A guess, for nobody says which names are hashes: rather too few than too many.
 */

/** Pages are never taken from an earlier version: they would bring all of it back. */
const PAGES: ReadonlySet<string> = new Set(["html", "htm", "xhtml"]);
/** Directories in which tools put files whose name is nothing but a hash. */
const HASHES_ALONE = /\/(?:immutable|chunks|_astro)\//;
/** A name, and one or two extensions: `app.3f2a1b9c` and `css.map`. */
const NAME = /^(.+?)\.([A-Za-z][A-Za-z0-9]{0,6}(?:\.[A-Za-z][A-Za-z0-9]{0,6})?)$/;

export function isHashedName(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const [, stem = "", extensions = ""] = NAME.exec(name) ?? [];
  if (stem === "" || extensions.split(".").some((each) => PAGES.has(each.toLowerCase())))
    return false;
  if (isHex(stem, 16) || (HASHES_ALONE.test(path) && isHash(stem))) return true;
  // A hash may have a dash in it, and so may what is before it.
  for (let at = stem.length - 1; at > 0; at -= 1) {
    if (/[-.~]/.test(stem[at] ?? "") && isHash(stem.slice(at + 1))) return true;
  }
  return false;
}

const isHash = (text: string): boolean =>
  isHex(text, 8) || /^[A-Z2-7]{8}$/.test(text) || isBase64(text);

/** With letters and digits: dates and versions have digits alone. */
const isHex = (text: string, least: number): boolean =>
  text.length >= least && /^[0-9a-f]{1,64}$/.test(text) && /[0-9]/.test(text) && /[a-f]/.test(text);

/** Random letters change between upper case, lower case and digits at most of their places; words do so seldom. */
function isBase64(text: string): boolean {
  if (!/^[A-Za-z0-9_-]{8,32}$/.test(text)) return false;
  let changes = 0;
  for (let at = 1; at < text.length; at += 1) {
    if (kindOf(text[at - 1]) !== kindOf(text[at])) changes += 1;
  }
  return changes * 3 >= text.length;
}

function kindOf(character = ""): "lower" | "upper" | "digit" | "other" {
  if (/[a-z]/.test(character)) return "lower";
  if (/[A-Z]/.test(character)) return "upper";
  return /[0-9]/.test(character) ? "digit" : "other";
}

/** The first eight hex digits of a version id. */
const VERSION_PREFIX = /^[0-9a-f]{8}$/;
/** Lower-case letters, digits and dashes; begins with a letter, does not end with a dash. */
const ALIAS = /^[a-z]([a-z0-9-]*[a-z0-9])?$/;

/** Whether a text can be the part of a preview host before `-<worker>`: a version prefix or an alias. */
export const isPreviewLabel = (text: string): boolean =>
  VERSION_PREFIX.test(text) || ALIAS.test(text);

/**
 * The ways to read `<label>-<worker>`. Names and aliases may hold dashes themselves, so there may be several;
 * the longest Worker name comes first.
 */
export function* splitPreviewHost(
  text: string,
): Generator<{ readonly label: string; readonly workerName: string }> {
  for (let dash = text.indexOf("-"); dash !== -1; dash = text.indexOf("-", dash + 1)) {
    const label = text.slice(0, dash);
    const workerName = text.slice(dash + 1);
    if (workerName !== "" && isPreviewLabel(label)) yield { label, workerName };
  }
}

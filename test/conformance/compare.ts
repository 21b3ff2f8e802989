/** Two JSON values, place by place. */

export interface Difference {
  /** Where, e.g. `get.rejected.message`; empty: the whole. */
  readonly at: string;
  readonly reference: unknown;
  readonly subject: unknown;
}

const isTree = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

export function differences(reference: unknown, subject: unknown, at = ""): Difference[] {
  if (!isTree(reference) || !isTree(subject) || Array.isArray(reference) !== Array.isArray(subject))
    return Object.is(reference, subject) ? [] : [{ at, reference, subject }];
  const keys = new Set([...Object.keys(reference), ...Object.keys(subject)]);
  return [...keys].flatMap((key) =>
    differences(reference[key], subject[key], at === "" ? key : `${at}.${key}`),
  );
}

/** One range of bytes that a request asks for. */

export type ByteRange =
  /** All of it: none is asked for, several are, or it is not understood. */
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly offset: number; readonly length: number }
  /** None of it is there. */
  | { readonly kind: "unsatisfiable" };

const RANGE = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i;
const WHOLE: ByteRange = { kind: "whole" };

/** `header` is the request's `Range`, `size` the file's, in bytes. RFC 9110, 14.2: what is not understood is ignored. */
export function decideRange(header: string | null, size: number): ByteRange {
  const [, first = "", last = ""] = RANGE.exec(header ?? "") ?? [];
  if (first === "" && last === "") return WHOLE;
  const [from, to] = [Number(first), Number(last)];
  if (first === "") {
    const length = Math.min(to, size);
    return length === 0
      ? { kind: "unsatisfiable" }
      : { kind: "part", offset: size - length, length };
  }
  if (last !== "" && to < from) return WHOLE;
  if (from >= size) return { kind: "unsatisfiable" };
  const end = last === "" ? size - 1 : Math.min(to, size - 1);
  return { kind: "part", offset: from, length: end - from + 1 };
}

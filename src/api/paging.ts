/** Pages of lists, as clients ask for them. */
import { PAGE_ITEMS_MAX } from "../domain/limits.ts";
import type { ApiContext } from "./api-env.ts";
import { refuseWith, type ResultInfo } from "./envelope.ts";

export interface Page {
  /** From 1. */
  readonly page: number;
  readonly perPage: number;
  /** Items before this page. */
  readonly offset: number;
}

/** What is no number is refused; a page larger than allowed is made as large as allowed, and says so. */
export function pageOf(c: ApiContext, perPageDefault: number, perPageMax = PAGE_ITEMS_MAX): Page {
  const page = positive(c, "page") ?? 1;
  const perPage = Math.min(positive(c, "per_page") ?? perPageDefault, perPageMax);
  return { page, perPage, offset: (page - 1) * perPage };
}

export const pageInfo = ({ page, perPage }: Page, count: number, total: number): ResultInfo => ({
  page,
  per_page: perPage,
  count,
  total_count: total,
  total_pages: Math.ceil(total / perPage),
});

/** One page of a list that is in memory already. */
export function slicePage<T>(
  page: Page,
  items: readonly T[],
): { readonly items: readonly T[]; readonly info: ResultInfo } {
  const slice = items.slice(page.offset, page.offset + page.perPage);
  return { items: slice, info: pageInfo(page, slice.length, items.length) };
}

/** Nine digits: no product of two such numbers loses precision in the database. */
export function positive(c: ApiContext, name: string): number | undefined {
  const text = c.req.query(name);
  if (text === undefined || text === "") return undefined;
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  return refuseWith({
    kind: "bad_request",
    detail: `${name} has to be a whole number from 1 to 999999999.`,
  });
}

/** `true` and `1` are yes; `false`, `0` and nothing are no. */
export function flag(c: ApiContext, name: string): boolean {
  const text = c.req.query(name) ?? "";
  if (text === "true" || text === "1") return true;
  if (text === "" || text === "false" || text === "0") return false;
  return refuseWith({ kind: "bad_request", detail: `${name} has to be true or false.` });
}

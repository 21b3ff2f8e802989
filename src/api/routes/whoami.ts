/** Whose token it is, and which account it opens. */
import { Hono } from "hono";
import { PAGE_ITEMS_DEFAULT } from "../../domain/limits.ts";
import type { ApiContext, ApiEnv } from "../api-env.ts";
import { success } from "../envelope.ts";
import { pageOf, slicePage } from "../paging.ts";

export const whoamiRoutes = new Hono<ApiEnv>()
  .get("/user/tokens/verify", (c) => success(c, { id: c.var.context.actor.id, status: "active" }))
  .get("/user", (c) => {
    const { id, email } = c.var.context.actor;
    return success(c, { id, email });
  })
  .get("/accounts", (c) => answerPage(c, [accountOf(c)]))
  .get("/accounts/:accountId", (c) => success(c, accountOf(c)))
  .get("/memberships", (c) =>
    answerPage(c, [
      {
        id: c.var.context.actor.id,
        status: "accepted",
        account: accountOf(c),
        roles: ["Administrator"],
      },
    ]),
  );

const accountOf = (c: ApiContext) => ({
  id: c.var.context.accountId,
  name: c.var.config.accountName,
  type: "standard",
});

function answerPage(c: ApiContext, all: readonly unknown[]): Response {
  const { items, info } = slicePage(pageOf(c, PAGE_ITEMS_DEFAULT), all);
  return success(c, items, { info });
}

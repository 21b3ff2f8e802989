import type { Inventory } from "../../inventory/src/index.ts";

interface Env {
  readonly INVENTORY: Service<Inventory>;
  readonly INVENTORY_PAGE: Fetcher;
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const item = url.searchParams.get("item") ?? "tea";
    const quantity = Number(url.searchParams.get("quantity") ?? 1);
    if (url.pathname === "/stock") return Response.json(await env.INVENTORY.add(item, quantity));
    if (url.pathname === "/page") return env.INVENTORY_PAGE.fetch(request);
    try {
      using reservation = await env.INVENTORY.reserve(item, quantity);
      return Response.json({ left: await reservation.confirm() });
    } catch (error) {
      const { name, message } = error as Error;
      return Response.json({ name, message }, { status: 409 });
    }
  },
} satisfies ExportedHandler<Env>;

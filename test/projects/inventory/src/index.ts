import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

interface Env {
  readonly STOCK: KVNamespace;
}

interface Props {
  readonly shop: string;
}

class Reservation extends RpcTarget {
  readonly #stock: KVNamespace;
  readonly #item: string;
  readonly #quantity: number;

  constructor(stock: KVNamespace, item: string, quantity: number) {
    super();
    this.#stock = stock;
    this.#item = item;
    this.#quantity = quantity;
  }

  async confirm(): Promise<number> {
    const left = Number(await this.#stock.get(this.#item)) - this.#quantity;
    await this.#stock.put(this.#item, String(left));
    return left;
  }
}

export class Inventory extends WorkerEntrypoint<Env, Props> {
  async add(item: string, quantity: number): Promise<number> {
    const total = Number(await this.env.STOCK.get(item)) + quantity;
    await this.env.STOCK.put(item, String(total));
    return total;
  }

  async reserve(item: string, quantity: number): Promise<Reservation> {
    const there = Number(await this.env.STOCK.get(item));
    if (there < quantity)
      throw new RangeError(`only ${there} of ${item} for ${this.ctx.props.shop}`);
    return new Reservation(this.env.STOCK, item, quantity);
  }
}

export default {
  fetch: () => new Response("the inventory"),
};

/** Stubs of Durable Objects: every name that a stub does not have itself is a property or a method of the object. */
import * as runtime from "cloudflare:workers";
import { type DurableObjectId, shown, tag } from "./durable-object-id.ts";

/** The broker, as this isolate calls it. */
export interface ObjectsBroker {
  call(id: string, name: string | null, path: readonly string[], args: unknown[]): Promise<unknown>;
  get(id: string, name: string | null, path: readonly string[]): Promise<unknown>;
  fetch(request: Request): Promise<Response>;
}

/** How a request names its object to the broker, which takes it away. */
const OBJECT_HEADER = "x-switchback-object";
const { RpcTarget } = runtime;
const { RpcProperty } = runtime as unknown as { readonly RpcProperty: { prototype: object } };
const { get: reflectGet } = Reflect;
const { setPrototypeOf } = Object;
type Methods = Readonly<Record<string, (...args: unknown[]) => unknown>>;
const isPromiseMethod = (key: unknown): key is "then" | "catch" | "finally" =>
  key === "then" || key === "catch" || key === "finally";

/** What the stub is beneath its proxy. */
class Target {
  readonly broker: ObjectsBroker;
  readonly id: string;
  readonly name: string | null;

  constructor(broker: ObjectsBroker, id: DurableObjectId) {
    this.broker = broker;
    this.id = id.toString();
    this.name = id.name ?? null;
  }
}

/** An `RpcTarget`, so that a stub can be handed on in a call. */
class Fetcher extends RpcTarget {
  readonly #target: Target;

  constructor(target: Target) {
    super();
    this.#target = target;
  }

  async fetch(input?: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    if (input === undefined) {
      throw new TypeError(
        "Failed to execute 'fetch' on 'Fetcher': parameter 1 is not of type 'Request or string'.",
      );
    }
    const { broker, id, name } = this.#target;
    const request = new Request(input as RequestInfo, init);
    const headers = new Headers(request.headers);
    headers.set(OBJECT_HEADER, encodeURIComponent(JSON.stringify([id, name])));
    return broker.fetch(new Request(request, { headers }));
  }

  connect(): never {
    throw new Error(
      "Sockets to a Durable Object are not supported by this Switchback. Use fetch().",
    );
  }
}

class DurableObject extends Fetcher {
  constructor(target: Target, id: DurableObjectId) {
    super(target);
    if (id.name !== undefined) shown(this, "name", id.name);
    shown(this, "id", id);
  }
}
tag(DurableObject, "DurableObject");

export function durableObjectStub(broker: ObjectsBroker, id: DurableObjectId): unknown {
  const target = new Target(broker, id);
  const own = new DurableObject(target, id);
  const bound = new Map<unknown, unknown>();
  return new Proxy(own, {
    // Whether the object has it, only a call can tell.
    has: (_, key) => typeof key === "string" || key in own,
    get(_, key) {
      // A stub is no promise: awaiting it gives itself. Nor is it turned into JSON by the object.
      if (key === "then" || key === "toJSON") return undefined;
      if (key === "dup") return () => durableObjectStub(broker, id);
      // Its name is the stub's own even where it has none.
      if (typeof key === "symbol" || key === "name" || key in own) {
        const value = reflectGet(own, key, own) as unknown;
        if (typeof value !== "function" || key === "constructor") return value;
        if (!bound.has(key)) bound.set(key, value.bind(own));
        return bound.get(key);
      }
      return property(target, [key]);
    },
  });
}

/** A property that nobody has read yet: awaited it is read, called it is a method, and it has properties itself. */
function property(target: Target, path: readonly string[]): unknown {
  const { broker, id, name } = target;
  const read = () => broker.get(id, name, path);
  const base = setPrototypeOf(function () {}, RpcProperty.prototype) as () => void;
  return new Proxy(base, {
    apply: (_, __, args: unknown[]) => broker.call(id, name, path, args),
    get(_, key) {
      if (isPromiseMethod(key))
        return (...on: unknown[]) => (read() as unknown as Methods)[key]!(...on);
      const isOwn = typeof key === "symbol" || key in RpcProperty.prototype;
      return isOwn
        ? (reflectGet(RpcProperty.prototype, key) as unknown)
        : property(target, [...path, key]);
    },
  });
}

import { DurableObjectId, JURISDICTIONS, ObjectIds, tag } from "./durable-object-id.ts";
import { durableObjectStub, type ObjectsBroker } from "./durable-object-stub.ts";
import type { RawBinding } from "./raw-binding.ts";

const isOptions = (options: unknown): boolean =>
  options === undefined || options === null || typeof options === "object";

class DurableObjectNamespace {
  readonly #broker: ObjectsBroker;
  readonly #ids: ObjectIds;

  constructor(broker: ObjectsBroker, ids: ObjectIds) {
    this.#broker = broker;
    this.#ids = ids;
  }

  newUniqueId(options?: { readonly jurisdiction?: unknown }): DurableObjectId {
    if (!isOptions(options)) throw wrongType("newUniqueId", 1, "NewUniqueIdOptions");
    const jurisdiction = options?.jurisdiction;
    if (jurisdiction === undefined || jurisdiction === null) return this.#ids.unique();
    return this.#ids.within(known(jurisdiction)).unique();
  }

  idFromName(...args: readonly unknown[]): DurableObjectId {
    if (args.length === 0) throw wrongType("idFromName", 1, "string");
    return this.#ids.fromName(`${args[0] as string}`);
  }

  idFromString(...args: readonly unknown[]): DurableObjectId {
    if (args.length === 0) throw wrongType("idFromString", 1, "string");
    return this.#ids.fromString(`${args[0] as string}`);
  }

  /** Where an object is kept is not chosen here, so the options change nothing. */
  get(id?: unknown, options?: unknown): unknown {
    if (DurableObjectId.hexOf(id) === null) throw wrongType("get", 1, "DurableObjectId");
    if (!isOptions(options)) throw wrongType("get", 2, "GetDurableObjectOptions");
    return durableObjectStub(this.#broker, id as DurableObjectId);
  }

  getByName(...args: readonly unknown[]): unknown {
    if (args.length === 0) throw wrongType("getByName", 1, "string");
    if (!isOptions(args[1])) throw wrongType("getByName", 2, "GetDurableObjectOptions");
    return durableObjectStub(this.#broker, this.#ids.fromName(`${args[0] as string}`));
  }

  jurisdiction(jurisdiction?: unknown): DurableObjectNamespace {
    const chosen =
      jurisdiction === undefined || jurisdiction === null ? undefined : known(jurisdiction);
    return new DurableObjectNamespace(this.#broker, this.#ids.within(chosen));
  }
}
tag(DurableObjectNamespace, "DurableObjectNamespace");

/** A binding to a class of Durable Objects. */
export function durableObjectNamespace(raw: RawBinding): unknown {
  const ids = new ObjectIds(String(raw["namespaceId"]));
  return new DurableObjectNamespace(raw.stub as unknown as ObjectsBroker, ids);
}

function known(jurisdiction: unknown): string {
  const text = `${jurisdiction as string}`;
  if (JURISDICTIONS.includes(text)) return text;
  throw new TypeError(
    `The jurisdiction ${JSON.stringify(text)} is not known. There are ${JURISDICTIONS.join(", ")}.`,
  );
}

const wrongType = (method: string, parameter: number, type: string): TypeError =>
  new TypeError(
    `Failed to execute '${method}' on 'DurableObjectNamespace': parameter ${parameter} is not of type '${type}'.`,
  );

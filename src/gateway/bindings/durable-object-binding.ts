import { WorkerEntrypoint } from "cloudflare:workers";
import type { DurableResource } from "../../domain/durable-resource.ts";
import { STORE_RETRY_MS, STORE_TRIES_MAX } from "../../domain/limits-data.ts";
import {
  OBJECT_HEADER,
  type ObjectAddress,
  readObjectId,
  readObjectName,
  readPath,
  seal,
} from "../objects/object-address.ts";
import {
  isWrongProcess,
  type ObjectsDirectory,
  type ObjectsDoorCalls,
} from "../objects/objects-directory.ts";

/** The namespace that a binding leads to. */
export type DurableObjectBindingProps = DurableResource;

/** A version's binding to a class of Durable Objects, its own or another Worker's. What it may reach is in its props alone. */
export function defineDurableObjectBinding<E>(
  objectsOf: (env: E, ctx: unknown) => ObjectsDirectory,
) {
  return class DurableObjectBinding extends WorkerEntrypoint<E, DurableObjectBindingProps> {
    call(objectId: unknown, name: unknown, path: unknown, args: unknown): Promise<unknown> {
      const address = this.#address(objectId, name);
      const names = readPath(path);
      if (!Array.isArray(args)) throw new TypeError("The arguments of a call have to be a list.");
      return this.#reach(address, true, (door) => door.call(address, names, args as unknown[]));
    }

    get(objectId: unknown, name: unknown, path: unknown): Promise<unknown> {
      const address = this.#address(objectId, name);
      const names = readPath(path);
      return this.#reach(address, true, (door) => door.get(address, names));
    }

    override fetch(request: Request): Promise<Response> {
      const [objectId, name] = readHeader(request.headers.get(OBJECT_HEADER));
      const address = this.#address(objectId, name);
      const sealed = seal(request, address);
      return this.#reach(address, request.body === null, (door) => door.fetch(sealed));
    }

    #address(objectId: unknown, name: unknown): ObjectAddress {
      const { workerId, namespaceId, home, transfers } = this.ctx.props;
      if (workerId === "" || namespaceId === "")
        throw new Error("The Durable Object class that is bound does not exist any more.");
      return {
        workerId,
        namespaceId,
        home,
        transfers,
        objectId: readObjectId(objectId),
        name: readObjectName(name),
      };
    }

    /** Tries again only while nothing can have run: no process was found, or the wrong one and it is `repeatable`. */
    async #reach<T>(
      { home }: ObjectAddress,
      repeatable: boolean,
      send: (door: ObjectsDoorCalls) => Promise<T>,
    ): Promise<T> {
      const directory = objectsOf(this.env, this.ctx);
      for (let tries = 1; ; tries++) {
        let door: ObjectsDoorCalls | null = null;
        try {
          door = await directory.door(home);
          return await send(door);
        } catch (error) {
          const mayRetry = door === null || (repeatable && isWrongProcess(error));
          if (!mayRetry || tries >= STORE_TRIES_MAX) throw error;
          await scheduler.wait(STORE_RETRY_MS * tries);
        }
      }
    }
  };
}

function readHeader(text: string | null): readonly [unknown, unknown] {
  try {
    return JSON.parse(decodeURIComponent(text ?? "")) as [unknown, unknown];
  } catch {
    throw new TypeError("Invalid Durable Object ID: must be 64 hex digits");
  }
}

import { WorkerEntrypoint } from "cloudflare:workers";
import type { WorkerId } from "../../domain/ids.ts";
import { RENEWALS_AT_ONCE_MAX } from "../../domain/limits-durable.ts";
import type { Gateway } from "../gateway.ts";
import { liveObjects } from "./live-objects.ts";
import { hostName, type ObjectAddress, seal, unseal } from "./object-address.ts";
import { hostsOf, type ObjectHostCalls, type ObjectTarget } from "./object-host-calls.ts";
import { countCall } from "./objects-activity.ts";
import { type ObjectsDoorCalls, type ObjectsPage, WRONG_PROCESS } from "./objects-directory.ts";
import { sealAnswer, sealThrown } from "./thrown-response.ts";

/**
 * The door of the process that has a Worker's Durable Objects, and where all is one Worker, of that. Which code an object
 * runs is decided here, for each call, by the lease that this process holds: an object's own clock could be held back.
 */
export function defineObjectsDoor<E extends { readonly WORKER_ID?: string }>(
  gatewayOf: (env: E) => Gateway,
) {
  return class ObjectsDoor extends WorkerEntrypoint<E> implements ObjectsDoorCalls {
    call(
      address: ObjectAddress,
      path: readonly string[],
      args: readonly unknown[],
    ): Promise<unknown> {
      return this.#at(address, (host, target) => host.call(target, path, args));
    }

    get(address: ObjectAddress, path: readonly string[]): Promise<unknown> {
      return this.#at(address, (host, target) => host.get(target, path));
    }

    override async fetch(sealed: Request): Promise<Response> {
      const { target: address, request } = unseal<ObjectAddress>(sealed);
      try {
        const response = await this.#at(address, (host, target) =>
          host.fetch(seal(request, target)),
        );
        return sealAnswer(response);
      } catch (error) {
        // Over HTTP nothing would be left of it.
        return sealThrown(error);
      }
    }

    async list(
      home: WorkerId,
      namespaceId: string,
      after: string,
      limit: number,
    ): Promise<ObjectsPage> {
      this.#guard(home);
      return this.#index(namespaceId).list(after, limit);
    }

    async erase(home: WorkerId, namespaceId: string): Promise<void> {
      this.#guard(home);
      await this.#index(namespaceId).erase();
    }

    /** Without a wait while the lease is warm: calls go on in the order in which they came. */
    #at<T>(
      address: ObjectAddress,
      send: (host: ObjectHostCalls, target: ObjectTarget) => Promise<T>,
    ): Promise<T> {
      return countCall(() => {
        this.#guard(address.home);
        const { objects } = gatewayOf(this.env);
        const host = hostsOf(this.env).getByName(hostName(address));
        const held = objects.peek(this.ctx, address);
        if (held !== null) this.#renewOlder(held);
        const sent =
          held !== null
            ? send(host, held)
            : objects.resolve(this.ctx, address).then((target) => send(host, target));
        return sent.catch((error: unknown) => {
          throw asOf(address, error);
        });
      });
    }

    /** Behind the call: objects that nobody calls just now go on with old code otherwise. */
    #renewOlder(target: ObjectTarget): void {
      const older = [...liveObjects.takeOlder(target.address, target.dispatch.seq)];
      if (older.length === 0) return;
      const { objects } = gatewayOf(this.env);
      const renew = async (address: ObjectAddress) => {
        const current = await objects.resolve(this.ctx, address);
        await hostsOf(this.env).getByName(hostName(address)).renew(current);
      };
      const renewAll = async () => {
        while (older.length > 0)
          await Promise.allSettled(older.splice(0, RENEWALS_AT_ONCE_MAX).map(renew));
      };
      this.ctx.waitUntil(renewAll());
    }

    #guard(home: WorkerId): void {
      const { WORKER_ID } = this.env;
      if (WORKER_ID !== undefined && WORKER_ID !== home) throw new Error(WRONG_PROCESS);
    }

    #index(namespaceId: string) {
      return (this.env as unknown as Env).OBJECT_INDEXES.getByName(namespaceId);
    }
  };
}

/** What the runtime finds itself, without the object's code; then it names no object. */
const RUNTIME_ERROR =
  /^The RPC receiver does not implement|is a reserved method and cannot be called over RPC|is not a function\.$|does not support RPC, because/;

/** The runtime names the object that hosts it; whoever called knows it by its own id. */
function asOf({ objectId }: ObjectAddress, error: unknown): unknown {
  if (!(error instanceof Error) || !("durableObjectId" in error)) return error;
  const isObjects = !RUNTIME_ERROR.test(error.message) && !("durableObjectReset" in error);
  if (isObjects) error.durableObjectId = objectId;
  else delete error.durableObjectId;
  return error;
}

import { WorkerEntrypoint } from "cloudflare:workers";
import type { Gateway } from "../gateway.ts";
import { messageOf } from "../gateway-errors.ts";
import { hostName, type ObjectAddress } from "./object-address.ts";
import {
  hostsOf,
  isNewer,
  type ObjectControlCalls,
  type ObjectTarget,
} from "./object-host-calls.ts";

/**
 * What a Durable Object's injected code holds of the object that hosts it. Which object that is, and which code it runs,
 * is in the props alone; the version could call all of this, and may.
 */
export function defineObjectControl<E>(gatewayOf: (env: E) => Gateway) {
  return class ObjectControl
    extends WorkerEntrypoint<E, ObjectTarget>
    implements ObjectControlCalls
  {
    async setAlarm(scheduledTime: number): Promise<void> {
      if (!Number.isFinite(scheduledTime) || scheduledTime <= 0)
        throw new TypeError("setAlarm() cannot be called with an alarm time <= 0");
      await this.#host.setAlarm(scheduledTime);
    }

    getAlarm(): Promise<number | null> {
      return this.#host.getAlarm();
    }

    async deleteAlarm(): Promise<void> {
      await this.#host.deleteAlarm();
    }

    async isCurrent(): Promise<boolean> {
      const { address, dispatch } = this.ctx.props;
      const { objects } = gatewayOf(this.env);
      const now = objects.peek(this.ctx, address) ?? (await objects.resolve(this.ctx, address));
      if (now.dispatch.versionId === dispatch.versionId || !isNewer(now, { address, dispatch }))
        return true;
      await this.#host.renew(now);
      return false;
    }

    get #host() {
      return hostsOf(this.env).getByName(hostName(this.ctx.props.address));
    }
  };
}

/** Finds the code of an alarm, for the object itself: never in reach of a version. */
export function defineObjectDispatcher<E>(gatewayOf: (env: E) => Gateway) {
  return class ObjectDispatcher extends WorkerEntrypoint<E> {
    /** Null, and why, when it cannot be said now. */
    async resolve(
      address: ObjectAddress,
    ): Promise<{ readonly target: ObjectTarget | null; readonly detail: string }> {
      try {
        const { objects } = gatewayOf(this.env);
        return { target: await objects.resolve(this.ctx, address), detail: "" };
      } catch (error) {
        return { target: null, detail: messageOf(error) };
      }
    }
  };
}

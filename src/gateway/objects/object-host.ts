import { DurableObject } from "cloudflare:workers";
import { ALARM_POSTPONE_MS } from "../../domain/limits-durable.ts";
import type { VersionId } from "../../domain/ids.ts";
import { logEvent } from "../../observability/log.ts";
import type { Gateway } from "../gateway.ts";
import { messageOf } from "../gateway-errors.ts";
import { type GatewayContext, requestScope } from "../request-scope.ts";
import {
  type AlarmInfo,
  alarmInfo,
  type AlarmState,
  beginAlarm,
  endAlarm,
  failAlarm,
  getAlarm,
  NO_ALARM,
  postponeAlarm,
  setAlarm,
  wakeAt,
} from "./object-alarm.ts";
import { ALARM_HEADER, type ObjectAddress, unseal } from "./object-address.ts";
import {
  type InjectedObject,
  isNewer,
  type ObjectHostCalls,
  type ObjectProps,
  type ObjectTarget,
} from "./object-host-calls.ts";
import { liveObjects } from "./live-objects.ts";
import { NoObjectCode } from "./object-versions.ts";
import { countCall } from "./objects-activity.ts";

/** Of the one facet. Its storage is the Durable Object's. */
const FACET = "o";
const TARGET_KEY = "target";
const ALARM_KEY = "alarm";

/** The dispatcher by which an alarm finds its code; see `object-control`. */
export interface AlarmDispatcher {
  resolve(
    address: ObjectAddress,
  ): Promise<{ readonly target: ObjectTarget | null; readonly detail: string }>;
}

interface HostContext extends GatewayContext {
  readonly exports: GatewayContext["exports"] & {
    readonly ObjectControl: (options: { props: ObjectTarget }) => Fetcher;
    readonly ObjectDispatcher: AlarmDispatcher;
  };
}

/**
 * One Durable Object of a version: its class runs as a facet of this object, in the version's own isolate and with storage of
 * its own. Which version that is comes with each call; code of an older deployment than it has run, or of a Worker that has
 * given it away since, it never runs again.
 */
export function defineObjectHost<E>(gatewayOf: (env: E) => Gateway) {
  return class ObjectHost extends DurableObject<E> implements ObjectHostCalls {
    /** What it has run last; the facet may outlive this instance. */
    #running: ObjectTarget | null;
    #alarm: AlarmState;
    #isAlarmRunning = false;
    /** Its first call makes it known to its namespace. */
    #admission: Promise<void> | null = null;
    /** Why no code could be had, when the facet was to start last. */
    #codeFailure: { readonly error: unknown } | null = null;

    constructor(ctx: DurableObjectState, env: E) {
      super(ctx, env);
      this.#running = ctx.storage.kv.get<ObjectTarget>(TARGET_KEY) ?? null;
      this.#alarm = ctx.storage.kv.get<AlarmState>(ALARM_KEY) ?? NO_ALARM;
    }

    call(
      target: ObjectTarget,
      path: readonly string[],
      args: readonly unknown[],
    ): Promise<unknown> {
      return this.#run(target, (object) => {
        const owner = at(object, path.slice(0, -1));
        return (owner[path.at(-1)!] as unknown as Method)(...args);
      });
    }

    get(target: ObjectTarget, path: readonly string[]): Promise<unknown> {
      return this.#run(target, (object) => at(object, path) as unknown as Promise<unknown>);
    }

    override fetch(sealed: Request): Promise<Response> {
      const { target, request } = unseal<ObjectTarget>(sealed);
      return this.#run(target, (object) => object.fetch(request));
    }

    async renew(target: ObjectTarget): Promise<void> {
      if (this.#running !== null) this.#choose(target);
    }

    async setAlarm(scheduledTime: number): Promise<void> {
      await this.#saveAlarm(setAlarm(this.#alarm, scheduledTime, this.#isAlarmRunning));
    }

    async getAlarm(): Promise<number | null> {
      return getAlarm(this.#alarm, this.#isAlarmRunning);
    }

    async deleteAlarm(): Promise<void> {
      await this.#saveAlarm(NO_ALARM);
    }

    async erase(): Promise<void> {
      this.ctx.facets.abort(FACET, new Error("The Durable Object has been deleted."));
      this.ctx.facets.delete(FACET);
      await this.ctx.storage.deleteAlarm();
      await this.ctx.storage.deleteAll();
      this.#running = null;
      this.#alarm = NO_ALARM;
      this.#admission = null;
    }

    override async alarm(): Promise<void> {
      await countCall(() => this.#fire());
    }

    async #fire(): Promise<void> {
      const begun = beginAlarm(this.#alarm, Date.now());
      const address = this.#running?.address;
      if (begun === null || address === undefined || this.#isAlarmRunning) return this.#arm();
      // The runtime's own alarm is not touched: should this process end now, it comes again.
      this.#storeAlarm(begun);
      // In an event of its own: what this one's clock says must not decide whether a lease is alive.
      const { target, detail } = await this.#context.exports.ObjectDispatcher.resolve(address);
      if (target === null) return this.#postpone(detail);
      this.#codeFailure = null;
      this.#isAlarmRunning = true;
      let next: (state: AlarmState) => AlarmState = endAlarm;
      try {
        await this.#run(target, (object) => callAlarm(object, alarmInfo(begun)));
      } catch (error) {
        next = (state) => failAlarm(state, Date.now());
        const { error: cause } = (this.#codeFailure as { readonly error: unknown } | null) ?? {};
        if (cause instanceof NoObjectCode && cause.isGone) next = () => NO_ALARM;
        else if (cause !== undefined) return await this.#postpone(messageOf(error));
      } finally {
        this.#isAlarmRunning = false;
      }
      await this.#saveAlarm(next(this.#alarm));
    }

    /** Nothing of the object has run: the alarm waits until something can. */
    #postpone(detail: string): Promise<void> {
      logEvent("warn", "object_alarm_postponed", { error: detail });
      return this.#saveAlarm(postponeAlarm(this.#alarm, Date.now() + ALARM_POSTPONE_MS));
    }

    async #saveAlarm(alarm: AlarmState): Promise<void> {
      this.#storeAlarm(alarm);
      await this.#arm();
    }

    #storeAlarm(alarm: AlarmState): void {
      this.#alarm = alarm;
      this.ctx.storage.kv.put(ALARM_KEY, alarm);
    }

    async #arm(): Promise<void> {
      const at = wakeAt(this.#alarm);
      if (at === null) await this.ctx.storage.deleteAlarm();
      else await this.ctx.storage.setAlarm(at);
    }

    /** Without a wait, once the object is known: calls reach it in the order in which they came. */
    #run<T>(target: ObjectTarget, call: (object: Facet) => Promise<T>): Promise<T> {
      if (this.#running !== null) return call(this.#facet(target));
      this.#admission ??= this.#admit(target).finally(() => (this.#admission = null));
      return this.#admission.then(() => call(this.#facet(target)));
    }

    async #admit(target: ObjectTarget): Promise<void> {
      const { namespaceId, objectId } = target.address;
      const { OBJECT_INDEXES } = this.env as unknown as Env;
      if (!(await OBJECT_INDEXES.getByName(namespaceId).add(objectId))) {
        throw new NoObjectCode("The Durable Object's class has been deleted.", true);
      }
      this.#note(target);
    }

    #facet(target: ObjectTarget): Facet {
      const { address, dispatch } = this.#choose(target);
      return this.ctx.facets.get(FACET, () => this.#start(address, dispatch.versionId)) as Facet;
    }

    /** What it runs from now on: the call's code, unless it has run newer. */
    #choose(target: ObjectTarget): ObjectTarget {
      const running = this.#running;
      if (running === null) return this.#note(target);
      const name = running.address.name ?? target.address.name;
      const next = isNewer(target, running) ? target : running;
      if (next === running && name === running.address.name) return running;
      const { address, dispatch } = next;
      if (dispatch.versionId !== running.dispatch.versionId)
        this.ctx.facets.abort(FACET, codeUpdated());
      return this.#note({ address: { ...address, name }, dispatch });
    }

    #note(target: ObjectTarget): ObjectTarget {
      this.ctx.storage.kv.put(TARGET_KEY, target);
      return (this.#running = target);
    }

    async #start(address: ObjectAddress, versionId: VersionId) {
      const context = this.#context;
      const { workerId, namespaceId, objectId, name } = address;
      try {
        const { stub, className, usesSqlite } = await gatewayOf(this.env).objects.load(
          requestScope(context),
          { workerId, versionId, namespaceId },
        );
        const dispatch = { seq: this.#running?.dispatch.seq ?? 0, versionId };
        liveObjects.note(address, dispatch.seq);
        const control = context.exports.ObjectControl({ props: { address, dispatch } });
        const props: ObjectProps = {
          __switchback: { namespaceId, objectId, name, usesSqlite, control },
        };
        return { class: stub.getDurableObjectClass(className, { props }), id: objectId };
      } catch (error) {
        this.#codeFailure = { error };
        throw error;
      }
    }

    get #context(): HostContext {
      return this.ctx as unknown as HostContext;
    }
  };
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;
type Facet = Fetcher & Readonly<Record<string, unknown>>;

function at(object: Facet, path: readonly string[]): Facet {
  let found = object;
  for (const name of path) found = found[name] as Facet;
  return found;
}

async function callAlarm(object: Facet, info: AlarmInfo): Promise<void> {
  try {
    await (object as unknown as InjectedObject).__switchbackAlarm(info);
  } catch (error) {
    if (!NO_CALLS.test(messageOf(error))) throw error;
    const headers = { [ALARM_HEADER]: JSON.stringify(info) };
    await object.fetch("http://alarm.invalid/", { headers });
  }
}

/** What the runtime says of a class that does not extend DurableObject. */
const NO_CALLS = /^The receiving Durable Object does not support RPC/;

const codeUpdated = (): Error =>
  Object.assign(new Error("Durable Object reset because its code was updated."), {
    durableObjectReset: true,
    retryable: true,
  });

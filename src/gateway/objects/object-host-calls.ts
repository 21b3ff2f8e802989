/** The objects that run versions' Durable Objects, as other modules call them. */
import type { AlarmInfo } from "./object-alarm.ts";
import type { ObjectAddress, ObjectDispatch } from "./object-address.ts";

/** A call that comes to an object: which it is, and which code the caller has found to be current. */
export interface ObjectTarget {
  readonly address: ObjectAddress;
  readonly dispatch: ObjectDispatch;
}

/** Deployments of two Workers cannot be compared: whoever has received the namespace later is newer, whatever its deployment. */
export const isNewer = (one: ObjectTarget, other: ObjectTarget): boolean =>
  one.address.transfers === other.address.transfers
    ? one.dispatch.seq > other.dispatch.seq
    : one.address.transfers > other.address.transfers;

export interface ObjectHostCalls {
  call(target: ObjectTarget, path: readonly string[], args: readonly unknown[]): Promise<unknown>;
  get(target: ObjectTarget, path: readonly string[]): Promise<unknown>;
  /** A request sealed with an {@link ObjectTarget}. */
  fetch(request: Request): Promise<Response>;
  /** Lets go of code that is not the dispatch's, and with it of its WebSockets. */
  renew(target: ObjectTarget): Promise<void>;
  setAlarm(scheduledTime: number): Promise<void>;
  getAlarm(): Promise<number | null>;
  deleteAlarm(): Promise<void>;
  erase(): Promise<void>;
}

export interface ObjectHosts {
  getByName(name: string): ObjectHostCalls;
}

export const hostsOf = (env: unknown): ObjectHosts =>
  (env as { readonly OBJECT_HOSTS: unknown }).OBJECT_HOSTS as ObjectHosts;

/** The object's own class, as the injected code has made it. */
export interface InjectedObject {
  __switchbackAlarm(info: AlarmInfo): Promise<void>;
}

/** `ctx.props` of an object's class, which the injected code takes away before the version's code sees it. */
export interface ObjectProps {
  readonly __switchback: {
    readonly namespaceId: string;
    readonly objectId: string;
    /** As a caller has said it: whether it is, only the id tells. */
    readonly name: string | null;
    readonly usesSqlite: boolean;
    /** {@link ObjectControlCalls}. */
    readonly control: Fetcher;
  };
}

/** What an object's injected code may ask: about this object alone. */
export interface ObjectControlCalls {
  setAlarm(scheduledTime: number): Promise<void>;
  getAlarm(): Promise<number | null>;
  deleteAlarm(): Promise<void>;
  /** Whether its code is still the current one. If not, it is being replaced. */
  isCurrent(): Promise<boolean>;
}

/**
 * A version's class of Durable Objects as the gateway runs it: inside an object that hosts it, and that keeps what the
 * platform does not give to such an inner object.
 */
import { DurableObject } from "cloudflare:workers";
import { type AlarmControl, ObjectAlarm } from "./durable-object-alarm.ts";
import { DurableObjectId, ObjectIds } from "./durable-object-id.ts";
import { withoutSqlite } from "./durable-object-kv-only.ts";

interface Control extends AlarmControl {
  isCurrent(): Promise<boolean>;
}

/** What the gateway puts into `ctx.props`, its `ObjectProps`. */
interface ObjectProps {
  readonly __switchback: {
    readonly namespaceId: string;
    readonly objectId: string;
    readonly name: string | null;
    readonly usesSqlite: boolean;
    readonly control: Control;
  };
}

interface Context {
  readonly props?: Partial<ObjectProps>;
  readonly storage: object;
}

interface AlarmInfo {
  readonly scheduledTime: number;
  readonly retryCount: number;
  readonly isRetry: boolean;
}

type Handler = (this: unknown, ...args: unknown[]) => unknown;
type Instance = Readonly<Record<string, Handler | undefined>>;
type Class = new (ctx: Context, env: unknown) => Instance;

/** What belongs to one object beside what its class knows of. */
interface Hosted {
  readonly alarm: ObjectAlarm;
  readonly control: Control;
  /** Messages are handed on in the order in which they came. */
  messages: Promise<unknown>;
}

const { defineProperty } = Object;
const hosted = new WeakMap<object, Hosted>();
/** The alarm of a class that takes no calls; only the hosting object can send such a request. */
const ALARM_HEADER = "x-switchback-alarm";
/** For a WebSocket: the message could not be handled, and the client may come again. */
const TRY_AGAIN_LATER = 1013;

/** `given`: what the version exports under the name. */
export function durableObjectClass(given: unknown): unknown {
  // Uploads are refused that do not export what they should; this one is on its way to that.
  if (typeof given !== "function") return class extends DurableObject {};
  const Base = given as Class;
  const Wrapped = class extends Base {
    constructor(ctx: Context, env: unknown) {
      const made: { object: Instance } = { object: Base.prototype as Instance };
      const adopted = adopt(ctx, () => typeof made.object["alarm"] === "function");
      super(ctx, env);
      made.object = this;
      if (adopted !== null) hosted.set(this, adopted);
    }
  };
  defineProperty(Wrapped, "name", { value: Base.name, configurable: true });
  defineProperty(Wrapped.prototype, "constructor", {
    value: Base,
    configurable: true,
    writable: true,
  });
  const prototype = Wrapped.prototype as unknown as object;
  replace(prototype, "__switchbackAlarm", async function (info) {
    await runAlarm(this as Instance, info as AlarmInfo);
  });
  const base = Base.prototype as Record<string, Handler | undefined>;
  if (base["webSocketMessage"]) {
    replace(prototype, "webSocketMessage", function (socket, message) {
      return whenCurrent(this as object, socket as WebSocket, () =>
        base["webSocketMessage"]?.call(this, socket, message),
      );
    });
  }
  if (!(Base.prototype instanceof DurableObject)) {
    // The platform lets nobody call methods of such a class, so its alarm comes as a request.
    replace(prototype, "fetch", async function (request) {
      const info = (request as Request).headers.get(ALARM_HEADER);
      if (info === null) {
        if (!base["fetch"]) throw new Error("Handler does not export a fetch() function.");
        return base["fetch"].call(this, request);
      }
      await runAlarm(this as Instance, JSON.parse(info) as AlarmInfo);
      return new Response(null, { status: 204 });
    });
  }
  return Wrapped;
}

async function runAlarm(object: Instance, info: AlarmInfo): Promise<void> {
  try {
    await object["alarm"]?.(info);
  } finally {
    await hosted.get(object)?.alarm.settled();
  }
}

/** Hands a message on, unless the Worker has been deployed anew: then the object ends, and its WebSockets with it. */
function whenCurrent(object: object, socket: WebSocket, handle: () => unknown): unknown {
  const own = hosted.get(object);
  if (own === undefined) return handle();
  const turn = own.messages.then(() => own.control.isCurrent());
  own.messages = turn.catch(() => undefined);
  return turn.then(
    (isCurrent) => (isCurrent ? handle() : undefined),
    () => socket.close(TRY_AGAIN_LATER, "The object's code cannot be determined just now."),
  );
}

/** Takes what the gateway has put into the context, and makes it what the version expects. Null: it is none of the gateway's. */
function adopt(ctx: Context, hasAlarm: () => boolean): Hosted | null {
  const given = ctx.props?.__switchback;
  if (given === undefined) return null;
  const { namespaceId, objectId, name: said, usesSqlite, control } = given;
  // By its first caller, which may be the hostile code of another Worker.
  const isTrue = said !== null && new ObjectIds(namespaceId).isNamed(objectId, said);
  const name = isTrue ? said : undefined;
  show(ctx, "props", {});
  show(ctx, "id", new DurableObjectId(objectId, name, undefined));
  const alarm = new ObjectAlarm(control, hasAlarm);
  alarm.install(ctx.storage, deleteAllDeletesAlarm());
  if (!usesSqlite) withoutSqlite(ctx.storage);
  return { alarm, control, messages: Promise.resolve() };
}

function deleteAllDeletesAlarm(): boolean {
  const { Cloudflare } = globalThis as {
    Cloudflare?: { readonly compatibilityFlags?: Readonly<Record<string, boolean>> };
  };
  return Cloudflare?.compatibilityFlags?.["delete_all_deletes_alarm"] === true;
}

function show(owner: object, name: string, value: unknown): void {
  defineProperty(owner, name, { value, enumerable: true, configurable: true, writable: false });
}

function replace(prototype: object, name: string, value: Handler): void {
  defineProperty(prototype, name, { value, enumerable: false, configurable: true, writable: true });
}

/** What a check is: code of a Worker whose answer is everything that can be seen of a binding's behaviour. */

/** Checks call bindings in ways that types forbid, so bindings are untyped here. */
// oxlint-disable-next-line typescript/no-explicit-any -- see above
export type Loose = any;

export interface CheckEnv {
  readonly KV: Loose;
  readonly BUCKET: Loose;
  readonly DB: Loose;
  readonly QUEUE: Loose;
  readonly SLOW_QUEUE: Loose;
  readonly PROBE: Loose;
  readonly LEGACY: Loose;
  readonly ASSETS: Loose;
  readonly SELF: Loose;
  readonly API: Loose;
  readonly LIMITER: Loose;
  readonly EVENTS: Loose;
  readonly TEXT: Loose;
  readonly LIST: Loose;
}

export interface Scene extends CheckEnv {
  readonly env: Loose;
  readonly ctx: Loose;
  readonly request: Request;
  /** The check's own part of every store's keys: no check sees another's. */
  readonly own: string;
}

export type Check = (scene: Scene) => unknown;
export type Checks = Readonly<Record<string, Check>>;

/** What `act` does: its value, or what it throws, and whether it throws at once or later. */
export async function outcome(act: () => unknown): Promise<unknown> {
  let result: unknown;
  try {
    result = act();
  } catch (error) {
    return { thrown: error };
  }
  const isPromise = typeof (result as Loose)?.then === "function";
  try {
    const value = await (result as Promise<unknown>);
    return isPromise ? { resolved: value } : { returned: value };
  } catch (error) {
    return { rejected: error };
  }
}

/** The outcomes of several acts, one after the other. */
export async function outcomes(acts: Readonly<Record<string, () => unknown>>): Promise<unknown> {
  const all: Record<string, unknown> = {};
  for (const [name, act] of Object.entries(acts)) all[name] = await outcome(act);
  return all;
}

/** Looks until there is something, for at most `ms`. */
export async function eventually<T>(look: () => Promise<T>, ms = 8_000): Promise<T | null> {
  const deadline = Date.now() + ms;
  for (;;) {
    const seen = await look();
    if (seen !== null && seen !== undefined) return seen;
    if (Date.now() > deadline) return null;
    await scheduler.wait(25);
  }
}

export const streamOf = (...chunks: (string | Uint8Array)[]): ReadableStream => {
  const encoder = new TextEncoder();
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks)
        controller.enqueue(typeof chunk === "string" ? encoder.encode(chunk) : chunk);
      controller.close();
    },
  });
};

/** A stream whose length the runtime knows. */
export function fixedStream(text: string, length = text.length): ReadableStream {
  const { readable, writable } = new FixedLengthStream(length);
  const writer = writable.getWriter();
  void writer
    .write(new TextEncoder().encode(text))
    .then(() => writer.close())
    .catch(() => undefined);
  return readable;
}

export const bytes = (...values: number[]): Uint8Array => new Uint8Array(values);

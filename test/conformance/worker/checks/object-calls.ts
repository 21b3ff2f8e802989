import { RpcTarget } from "cloudflare:workers";
import { type Checks, fixedStream, type Loose, outcome, outcomes } from "../check.ts";

class Adder extends RpcTarget {
  #count = 0;
  add(n: number): number {
    return (this.#count += n);
  }
  get count(): number {
    return this.#count;
  }
}

export const objectCalls: Checks = {
  "rpc: values there and back": async ({ PROBE, own }) => {
    const stub = PROBE.getByName(own);
    const seen: Record<string, unknown> = {};
    const values: Record<string, unknown> = {
      string: "ü",
      number: 1.5,
      null: null,
      undefined: undefined,
      bigint: 5n,
      date: new Date(0),
      map: new Map([["a", 1]]),
      set: new Set([1]),
      bytes: new Uint8Array([1, 2]),
      nested: { a: [{ b: null }] },
      error: new RangeError("carried"),
      regexp: /x/g,
      headers: new Headers({ a: "b" }),
      response: new Response("body", { status: 201 }),
      stream: fixedStream("streamed"),
      url: new URL("https://a.example"),
    };
    for (const [name, value] of Object.entries(values))
      seen[name] = await outcome(() => stub.echo(value));
    return seen;
  },
  "rpc: values that cannot be sent": ({ PROBE, own }) => {
    const stub = PROBE.getByName(own);
    return outcomes({
      symbol: () => stub.echo(Symbol("s")),
      instance: () => stub.echo(new (class Thing {})()),
      weak: () => stub.echo(new WeakMap()),
      promise: () => stub.echo(Promise.resolve(1)),
    });
  },
  "rpc: no and several arguments": async ({ PROBE, own }) => [
    await PROBE.getByName(own).echo(),
    await PROBE.getByName(own).echo(1, 2, 3),
  ],
  "rpc: a large value": async ({ PROBE, own }) =>
    (await PROBE.getByName(own).echo("x".repeat(5_000_000))).length,
  "rpc: properties": ({ PROBE, own }) => {
    const stub = PROBE.getByName(own);
    return outcomes({
      getter: () => stub.property,
      nested: () => stub.nested,
      deep: () => stub.nested.deeper.word,
      field: () => stub.field,
      missing: () => stub.nothingLikeThis,
      method: async () => typeof (await stub.echo),
    });
  },
  "rpc: methods that are none": ({ PROBE, own }) => {
    const stub = PROBE.getByName(own);
    return outcomes({
      missing: () => stub.nothingLikeThis(),
      property: () => stub.property(),
      constructor: () => stub.constructor(),
      ctx: () => stub.ctx,
      env: () => stub.env,
      alarm: () => stub.alarm(),
      socket: () => stub.webSocketMessage({}, "x"),
      toString: () => stub.toString(),
      hasOwnProperty: () => stub.hasOwnProperty("x"),
    });
  },
  "rpc: a target that stays there": async ({ PROBE, own }) => {
    using counter = await PROBE.getByName(own).counter();
    return [await counter.add(2), await counter.add(3), await counter.count];
  },
  "rpc: one trip for several steps": async ({ PROBE, own }) => {
    const counter = PROBE.getByName(own).counter();
    return Promise.all([counter.add(2), counter.add(3), counter.count]);
  },
  "rpc: a function that comes back": async ({ PROBE, own }) => {
    using add = await PROBE.getByName(own).adder(5);
    return [await add(1), await add(2)];
  },
  "rpc: a function that comes back, at once": ({ PROBE, own }) => PROBE.getByName(own).adder(5)(1),
  "rpc: a function that is given": ({ PROBE, own }) =>
    PROBE.getByName(own).callBack((value: number) => value * 2, 21),
  "rpc: a function that throws": ({ PROBE, own }) =>
    outcome(() =>
      PROBE.getByName(own).callBack(() => {
        throw new RangeError("from the caller");
      }, 1),
    ),
  "rpc: a target that is given": ({ PROBE, own }) => PROBE.getByName(own).useTarget(new Adder()),
  "rpc: streams": async ({ PROBE, own }) => {
    const stub = PROBE.getByName(own);
    return [
      await new Response(await stub.stream("from the object")).text(),
      await stub.readStream(fixedStream("to the object")),
    ];
  },
  "rpc: errors": ({ PROBE, own }) => {
    const stub = PROBE.getByName(own);
    return outcomes({
      error: () => stub.throws("error"),
      range: () => stub.throws("range"),
      own: () => stub.throws("own"),
      cause: () => stub.throws("cause"),
      plain: () => stub.throws("plain"),
      string: () => stub.throws("string"),
      later: () => stub.rejects(),
    });
  },
  "rpc: errors are errors": async ({ PROBE, own }) => {
    const { rejected } = (await outcome(() => PROBE.getByName(own).throws("range"))) as Loose;
    return [
      rejected instanceof RangeError,
      rejected instanceof Error,
      Object.keys(rejected).sort(),
    ];
  },
  "rpc: calls come in order": async ({ PROBE, own }) => {
    const stub = PROBE.getByName(own);
    return Promise.all(Array.from({ length: 20 }, () => stub.increment()));
  },
  "fetch: request and answer": ({ PROBE, own }) =>
    PROBE.getByName(own).fetch("https://object.example/path?query=1", {
      method: "POST",
      body: "the body",
      headers: { "x-sent": "sent" },
    }),
  "fetch: a request object": ({ PROBE, own }) =>
    PROBE.getByName(own).fetch(
      new Request("https://object.example/", { method: "PUT", body: fixedStream("streamed") }),
    ),
  "fetch: no address": ({ PROBE, own }) => {
    const stub = PROBE.getByName(own);
    return outcomes({
      path: () => stub.fetch("/path"),
      nothing: () => stub.fetch(),
      object: () => stub.fetch({}),
      init: () => stub.fetch("https://object.example/", { method: "GET", body: "x" }),
    });
  },
  "fetch: what throws": ({ PROBE, own }) => {
    const stub = PROBE.getByName(own);
    return outcomes({
      throw: () => stub.fetch("https://object.example/throw"),
      nothing: () => stub.fetch("https://object.example/nothing"),
    });
  },
  "fetch: a redirect is not followed outside": async ({ PROBE, own }) => {
    const response = await PROBE.getByName(own).fetch("https://object.example/redirect", {
      redirect: "manual",
    });
    return [response.status, response.headers.get("location")];
  },
};

import { type Checks, eventually, type Loose, outcome, outcomes } from "../check.ts";

const HEX_64 = /^[0-9a-f]{64}$/;

/** The client's end of a WebSocket to the object, accepted. */
async function socketTo({ PROBE, own }: Loose, path: string): Promise<Loose> {
  const response = await PROBE.getByName(own).fetch(`https://object.example${path}`, {
    headers: { upgrade: "websocket" },
  });
  const socket = response.webSocket;
  const messages: unknown[] = [];
  const closes: unknown[] = [];
  socket.addEventListener("message", ({ data }: Loose) => messages.push(data));
  socket.addEventListener("close", ({ code, reason, wasClean }: Loose) =>
    closes.push({ code, reason, wasClean }),
  );
  socket.accept();
  const next = () => eventually(async () => (messages.length > 0 ? messages.shift() : null), 3_000);
  const closed = () => eventually(async () => closes[0] ?? null, 3_000);
  return { response, socket, next, closed };
}

const stored = (object: Loose, what: string) => eventually(() => object[what](), 6_000);

export const durableObjects: Checks = {
  "the binding itself": ({ PROBE }) => ({
    type: typeof PROBE,
    name: PROBE.constructor.name,
    tag: String(PROBE),
    keys: Object.keys(PROBE),
    methods: [
      "idFromName",
      "idFromString",
      "newUniqueId",
      "get",
      "getByName",
      "getExisting",
      "jurisdiction",
    ].map((name) => `${name} ${typeof PROBE[name]}`),
    other: [typeof PROBE.fetch, typeof PROBE.foo, "get" in PROBE],
  }),
  "ids: of names": ({ PROBE }) => {
    const id = PROBE.idFromName("a");
    return {
      same: [id.equals(PROBE.idFromName("a")), String(id) === String(PROBE.idFromName("a"))],
      other: [id.equals(PROBE.idFromName("b")), String(id) === String(PROBE.idFromName("b"))],
      hex: HEX_64.test(String(id)),
      name: id.name,
      class: id.constructor.name,
      keys: Object.keys(id),
      json: typeof JSON.parse(JSON.stringify({ id })).id,
      toString: id.toString() === String(id),
    };
  },
  "ids: names that are odd": ({ PROBE }) =>
    outcomes({
      empty: () => PROBE.idFromName("").name,
      unicode: () => PROBE.idFromName("ü👋").name,
      number: () => PROBE.idFromName(5).name,
      nothing: () => PROBE.idFromName(),
      null: () => PROBE.idFromName(null).name,
      symbol: () => PROBE.idFromName(Symbol("s")),
      long: () => PROBE.idFromName("n".repeat(5_000)).name.length,
    }),
  "ids: unique": ({ PROBE }) => {
    const id = PROBE.newUniqueId();
    return [
      HEX_64.test(String(id)),
      id.name,
      "name" in id,
      id.equals(PROBE.newUniqueId()),
      id.equals(id),
    ];
  },
  "ids: of strings": ({ PROBE }) => {
    const id = PROBE.idFromName("a");
    const again = PROBE.idFromString(String(id));
    return [again.equals(id), id.equals(again), again.name, String(again) === String(id)];
  },
  "ids: strings that are none": ({ PROBE, LEGACY }) =>
    outcomes({
      word: () => PROBE.idFromString("x"),
      short: () => PROBE.idFromString("ab".repeat(31)),
      foreign: () => PROBE.idFromString("ab".repeat(32)),
      otherClass: () => PROBE.idFromString(String(LEGACY.idFromName("a"))),
      upper: () => PROBE.idFromString(String(PROBE.idFromName("a")).toUpperCase()).name,
      nothing: () => PROBE.idFromString(),
    }),
  "ids: equality with what is no id": ({ PROBE }) => {
    const id = PROBE.idFromName("a");
    return outcomes({
      string: () => id.equals(String(id)),
      nothing: () => id.equals(),
      object: () => id.equals({}),
    });
  },
  "ids: of two classes differ": ({ PROBE, LEGACY }) =>
    String(PROBE.idFromName("a")) === String(LEGACY.idFromName("a")),
  "ids: jurisdictions": ({ PROBE }) =>
    outcomes({
      eu: () => HEX_64.test(String(PROBE.jurisdiction("eu").idFromName("a"))),
      unique: () => HEX_64.test(String(PROBE.newUniqueId({ jurisdiction: "eu" }))),
      wrong: () => PROBE.jurisdiction("mars"),
    }),
  "get: ids that are none": ({ PROBE, LEGACY }) =>
    outcomes({
      nothing: () => PROBE.get(),
      string: () => PROBE.get("a"),
      object: () => PROBE.get({}),
      otherClass: () => PROBE.get(LEGACY.idFromName("a")),
      byNothing: () => PROBE.getByName(),
      byNumber: () => PROBE.getByName(5).name,
    }),
  "get: options": ({ PROBE }) =>
    outcomes({
      hint: () => PROBE.get(PROBE.idFromName("a"), { locationHint: "weur" }).name,
      wrongHint: () => PROBE.get(PROBE.idFromName("a"), { locationHint: "mars" }).name,
    }),
  "stub: itself": ({ PROBE, own }) => {
    const stub = PROBE.getByName(own);
    return {
      type: typeof stub,
      name: stub.name,
      id: String(stub.id) === String(PROBE.idFromName(own)),
      idName: stub.id.name,
      class: stub.constructor.name,
      methods: [
        typeof stub.fetch,
        typeof stub.echo,
        typeof stub.nothingLikeThis,
        typeof stub.connect,
      ],
      thenable: typeof stub.then,
      unique: PROBE.get(PROBE.newUniqueId()).name,
    };
  },
  "stub: can be awaited": async ({ PROBE, own }) => {
    const stub = await PROBE.getByName(own);
    return stub.echo("after await");
  },
  "object: knows its id and name": async ({ PROBE, own }) => {
    const id = PROBE.idFromName(own);
    const byName = await PROBE.get(id).identity();
    const unique = PROBE.newUniqueId();
    const byUnique = await PROBE.get(unique).identity();
    return [
      byName.id === String(id),
      byName.name,
      byName.type,
      byUnique.id === String(unique),
      byUnique.name,
    ];
  },
  "one object, however it is reached": async ({ PROBE, own }) => {
    const id = PROBE.idFromName(own);
    const instances = await Promise.all([
      PROBE.get(id).instance(),
      PROBE.getByName(own).instance(),
      PROBE.get(PROBE.idFromString(String(id))).instance(),
    ]);
    return new Set(instances).size;
  },
  "objects of other names are others": async ({ PROBE, own }) => {
    await PROBE.getByName(`${own}a`).increment();
    return [await PROBE.getByName(`${own}a`).count(), await PROBE.getByName(`${own}b`).count()];
  },
  "storage: lasts between calls": async ({ PROBE, own }) => {
    await PROBE.getByName(own).increment();
    return PROBE.getByName(own).increment();
  },
  "abort: what the caller sees, and what stays": async ({ PROBE, own }) => {
    await PROBE.getByName(own).increment();
    const before = await PROBE.getByName(own).instance();
    const { rejected } = (await outcome(() => PROBE.getByName(own).abort())) as Loose;
    const after = await PROBE.getByName(own).instance();
    return {
      error: [rejected?.name, rejected?.message, rejected?.durableObjectReset],
      isNew: before !== after,
      count: await PROBE.getByName(own).count(),
    };
  },
  "alarm: runs": async ({ PROBE, own }) => {
    const stub = PROBE.getByName(own);
    const at = await stub.alarmIn(50);
    return [typeof at, await stored(stub, "alarms"), await stub.pendingAlarm()];
  },
  "alarm: in the past runs at once": async ({ PROBE, own }) => {
    const stub = PROBE.getByName(own);
    await stub.alarmIn(-10_000);
    return stored(stub, "alarms");
  },
  "alarm: is tried again": async ({ PROBE, own }) => {
    const stub = PROBE.getByName(own);
    await stub.failAlarms(1);
    return eventually(async () => {
      const alarms = await stub.alarms();
      return alarms?.length > 1 ? alarms : null;
    }, 10_000);
  },
  "websocket: plain": async (scene) => {
    const { response, socket, next, closed } = await socketTo(scene, "/plain");
    socket.send("hello");
    const answer = await next();
    socket.close(1000, "bye");
    return [response.status, response.headers.get("x-upgraded"), answer, await closed()];
  },
  "websocket: hibernating": async (scene) => {
    const { socket, next } = await socketTo(scene, "/hibernating?tag=red&tag=blue");
    socket.send("hello");
    const text = await next();
    socket.send(new Uint8Array([1, 2, 3]));
    const binary = await next();
    socket.send("tell");
    const { instance, ...told } = JSON.parse((await next()) as string);
    return [text, binary, told, typeof instance];
  },
  "websocket: to all": async (scene) => {
    const one = await socketTo(scene, "/one?tag=red");
    const two = await socketTo(scene, "/two");
    one.socket.send("all news");
    return [await one.next(), await two.next()];
  },
  "websocket: the object closes": async (scene) => {
    const { socket, closed } = await socketTo(scene, "/h");
    socket.send("close");
    return closed();
  },
  "websocket: the client closes": async (scene) => {
    const { socket } = await socketTo(scene, "/h");
    socket.close(4002, "done");
    return stored(scene.PROBE.getByName(scene.own), "closed");
  },
  "websocket: a handler that throws": async (scene) => {
    const { socket, next } = await socketTo(scene, "/h");
    socket.send("throw");
    socket.send("still there");
    return next();
  },
  "websocket: answered by itself": async (scene) => {
    const { socket, next } = await socketTo(scene, "/h?auto=1");
    socket.send("ping");
    const answer = await next();
    socket.send("other");
    return [answer, await next()];
  },
  "websocket: protocol header": async (scene) => {
    const { response } = await socketTo(scene, "/h");
    return response.headers.get("sec-websocket-protocol");
  },
  "legacy: its storage": async ({ LEGACY, own }) => {
    const stub = LEGACY.getByName(own);
    await stub.write({ b: 2, a: [1] });
    return [await stub.read(), await outcome(() => stub.sql())];
  },
};

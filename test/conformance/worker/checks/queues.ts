import {
  bytes,
  type Checks,
  eventually,
  type Loose,
  outcome,
  outcomes,
  type Scene,
} from "../check.ts";

/** What the consumer was given for this check, in the order in which it came; see `consume`. */
async function received({ KV }: Scene, run: string, count: number): Promise<Loose> {
  return eventually(async () => {
    const { keys } = await KV.list({ prefix: `queue:${run}:` });
    if (keys.length < count) return null;
    return Promise.all(keys.map(({ name }: Loose) => KV.get(name, "json")));
  });
}

/** Sends one message and tells what arrived. */
async function sent(scene: Scene, body: Loose, options?: Loose): Promise<Loose> {
  const run = scene.own;
  await scene.QUEUE.send({ run, body }, options);
  return (await received(scene, run, 1))?.[0] ?? null;
}

const KIB = 1024;

export const queues: Checks = {
  "the binding itself": ({ QUEUE }) => ({
    type: typeof QUEUE,
    name: QUEUE.constructor.name,
    tag: String(QUEUE),
    keys: Object.keys(QUEUE),
    methods: ["send", "sendBatch", "metrics", "ack"].map((name) => typeof QUEUE[name]),
  }),
  "methods need their binding": ({ QUEUE }) => {
    const { send } = QUEUE;
    return outcome(() => send("x"));
  },
  "no arguments": ({ SLOW_QUEUE }) =>
    outcomes({ send: () => SLOW_QUEUE.send(), sendBatch: () => SLOW_QUEUE.sendBatch() }),
  "send: what comes back": ({ SLOW_QUEUE }) =>
    outcome(async () => {
      const answer = await SLOW_QUEUE.send("x");
      return answer === undefined ? undefined : Object.keys(answer);
    }),
  "sendBatch: what comes back": ({ SLOW_QUEUE }) =>
    outcome(async () => {
      const answer = await SLOW_QUEUE.sendBatch([{ body: "x" }]);
      return answer === undefined ? undefined : Object.keys(answer);
    }),
  "send: content types that are none": ({ SLOW_QUEUE }) =>
    outcomes({
      wrong: () => SLOW_QUEUE.send("x", { contentType: "xml" }),
      textOfObject: () => SLOW_QUEUE.send({ a: 1 }, { contentType: "text" }),
      textOfNumber: () => SLOW_QUEUE.send(5, { contentType: "text" }),
      bytesOfString: () => SLOW_QUEUE.send("x", { contentType: "bytes" }),
      bytesOfObject: () => SLOW_QUEUE.send({}, { contentType: "bytes" }),
      jsonOfBigint: () => SLOW_QUEUE.send(5n, { contentType: "json" }),
      jsonOfUndefined: () => SLOW_QUEUE.send(undefined, { contentType: "json" }),
      v8OfFunction: () => SLOW_QUEUE.send(() => 1, { contentType: "v8" }),
      number: () => SLOW_QUEUE.send("x", { contentType: 5 }),
    }),
  "send: bodies that cannot be sent": ({ SLOW_QUEUE }) => {
    const circle: Loose = {};
    circle.self = circle;
    return outcomes({
      function: () => SLOW_QUEUE.send(() => 1),
      circle: () => SLOW_QUEUE.send(circle),
      symbol: () => SLOW_QUEUE.send(Symbol("s")),
      stream: () => SLOW_QUEUE.send(new ReadableStream()),
    });
  },
  "send: delays": ({ SLOW_QUEUE }) =>
    outcomes({
      most: async () => void (await SLOW_QUEUE.send("x", { delaySeconds: 43_200 })),
      more: () => SLOW_QUEUE.send("x", { delaySeconds: 43_201 }),
      negative: () => SLOW_QUEUE.send("x", { delaySeconds: -1 }),
      part: () => SLOW_QUEUE.send("x", { delaySeconds: 1.5 }),
      word: () => SLOW_QUEUE.send("x", { delaySeconds: "soon" }),
    }),
  "send: sizes": ({ SLOW_QUEUE }) =>
    outcomes({
      large: async () => void (await SLOW_QUEUE.send("x".repeat(127_000), { contentType: "text" })),
      larger: () => SLOW_QUEUE.send("x".repeat(129 * KIB), { contentType: "text" }),
      bytes: () => SLOW_QUEUE.send(new Uint8Array(129 * KIB), { contentType: "bytes" }),
    }),
  "sendBatch: sizes": ({ SLOW_QUEUE }) => {
    const batch = (count: number, size: number) => () =>
      SLOW_QUEUE.sendBatch(
        Array.from({ length: count }, () => ({ body: "x".repeat(size), contentType: "text" })),
      );
    return outcomes({
      none: batch(0, 0),
      most: async () => void (await batch(100, 1)()),
      more: batch(101, 1),
      large: batch(3, 100 * KIB),
      oneLarge: batch(1, 129 * KIB),
    });
  },
  "sendBatch: arguments that are none": ({ SLOW_QUEUE }) =>
    outcomes({
      string: () => SLOW_QUEUE.sendBatch("x"),
      object: () => SLOW_QUEUE.sendBatch({ body: 1 }),
      number: () => SLOW_QUEUE.sendBatch([5]),
      noBody: () => SLOW_QUEUE.sendBatch([{}]),
      null: () => SLOW_QUEUE.sendBatch([null]),
      contentType: () => SLOW_QUEUE.sendBatch([{ body: 1, contentType: "xml" }]),
      delay: () => SLOW_QUEUE.sendBatch([{ body: 1, delaySeconds: -1 }]),
      delayOfAll: () => SLOW_QUEUE.sendBatch([{ body: 1 }], { delaySeconds: 99_999 }),
    }),
  "sendBatch: a generator": ({ SLOW_QUEUE }) =>
    outcome(async () => {
      function* messages() {
        yield { body: 1 };
        yield { body: 2 };
      }
      await SLOW_QUEUE.sendBatch(messages());
    }),
  "consumer: JSON": (scene) => sent(scene, { list: [1, "ü", null, { deep: true }] }),
  "consumer: a string in JSON": (scene) => sent(scene, "just text"),
  "consumer: v8": (scene) =>
    sent(
      scene,
      {
        map: new Map([["a", new Set([1])]]),
        date: new Date(0),
        bytes: bytes(1, 2),
        big: 5n,
        undef: undefined,
      },
      { contentType: "v8" },
    ),
  "consumer: text and bytes": async (scene) => {
    const { QUEUE, own } = scene;
    await QUEUE.send(`run=${own}; grüß`, { contentType: "text" });
    await received(scene, own, 1);
    await QUEUE.send(new TextEncoder().encode(`run=${own}-b; bytes`), { contentType: "bytes" });
    return [await received(scene, own, 1), await received(scene, `${own}-b`, 1)];
  },
  "consumer: bytes from a part of a buffer": async (scene) => {
    const { QUEUE, own } = scene;
    const whole = new TextEncoder().encode(`xxrun=${own}; part`);
    await QUEUE.send(whole.subarray(2), { contentType: "bytes" });
    return received(scene, own, 1);
  },
  "consumer: a batch": async (scene) => {
    const { QUEUE, own } = scene;
    await QUEUE.sendBatch([1, 2, 3].map((n) => ({ body: { run: own, body: n } })));
    const messages = await received(scene, own, 3);
    return messages?.map((message: Loose) => message.message.body);
  },
  "consumer: a batch of all content types": async (scene) => {
    const { QUEUE, own } = scene;
    await QUEUE.sendBatch([
      { body: { run: own, body: "json" } },
      { body: { run: own, body: new Map([[1, 2]]) }, contentType: "v8" },
      { body: `run=${own}; text`, contentType: "text" },
      { body: new TextEncoder().encode(`run=${own}; bytes`), contentType: "bytes" },
    ]);
    return received(scene, own, 4);
  },
  "consumer: retried once": async (scene) => {
    await scene.QUEUE.send({ run: scene.own, retryUntil: 2 });
    const messages = await received(scene, scene.own, 2);
    return messages?.map((message: Loose) => message.message.attempts);
  },
  "consumer: a retried message keeps its id and time": async (scene) => {
    await scene.QUEUE.send({ run: scene.own, retryUntil: 2, tellId: true });
    const messages = await received(scene, scene.own, 2);
    return (
      messages && [messages[0].id === messages[1].id, messages[0].sentAt === messages[1].sentAt]
    );
  },
  "consumer: given up after all retries": async (scene) => {
    await scene.QUEUE.send({ run: scene.own, retryUntil: 99 });
    const messages = await received(scene, scene.own, 5);
    return messages?.map((message: Loose) => [message.queue, message.message.attempts]);
  },
  "consumer: the batch is retried when the handler throws": async (scene) => {
    await scene.QUEUE.send({ run: scene.own, throwUntil: 2 });
    const messages = await received(scene, scene.own, 2);
    return messages?.map((message: Loose) => message.message.attempts);
  },
  "consumer: an acknowledged message is not retried with its batch": async (scene) => {
    const { QUEUE, own } = scene;
    await QUEUE.sendBatch([
      { body: { run: own, ack: true, body: "kept" } },
      { body: { run: own, retryAllUntil: 2, body: "again" } },
    ]);
    const messages = await received(scene, own, 3);
    return messages
      ?.map((message: Loose) => `${message.message.body.body} ${message.message.attempts}`)
      .sort();
  },
  "consumer: delayed": async (scene) => {
    const before = Date.now();
    const message = await sent(scene, "late", { delaySeconds: 1 });
    return message && [message.message.body, Date.now() - before >= 900];
  },
  "consumer: ack and retry twice": async (scene) => {
    await scene.QUEUE.send({ run: scene.own, twice: true });
    return (await received(scene, scene.own, 1))?.[0].acts;
  },
  "consumer: the batch and its messages": async (scene) => {
    await scene.QUEUE.send({ run: scene.own, tellShape: true });
    return (await received(scene, scene.own, 1))?.[0].shape;
  },
  "consumer: it can use other bindings, and ctx": async (scene) => {
    await scene.QUEUE.send({ run: scene.own, tellBindings: true });
    return (await received(scene, scene.own, 1))?.[0].bindings;
  },
  "consumer: work left to waitUntil is done": async (scene) => {
    await scene.QUEUE.send({ run: scene.own, waitUntil: true });
    return eventually(() => scene.KV.get(`later:${scene.own}`));
  },
};

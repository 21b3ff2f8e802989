import { type Checks, outcome, outcomes } from "../check.ts";
import { hello, METADATA } from "../hello-object.ts";

export const r2Get: Checks = {
  "the binding itself": ({ BUCKET }) => ({
    type: typeof BUCKET,
    name: BUCKET.constructor.name,
    tag: String(BUCKET),
    keys: Object.keys(BUCKET),
    methods: [
      "head",
      "get",
      "put",
      "delete",
      "list",
      "createMultipartUpload",
      "resumeMultipartUpload",
    ].map((name) => typeof BUCKET[name]),
    other: [typeof BUCKET.fetch, typeof BUCKET.foo, "get" in BUCKET, "foo" in BUCKET],
  }),
  "no arguments": ({ BUCKET }) =>
    outcomes({
      head: () => BUCKET.head(),
      get: () => BUCKET.get(),
      put: () => BUCKET.put(),
      delete: () => BUCKET.delete(),
      create: () => BUCKET.createMultipartUpload(),
      resume: () => BUCKET.resumeMultipartUpload(),
    }),
  "methods need their binding": ({ BUCKET }) => {
    const { get } = BUCKET;
    return outcome(() => get("x"));
  },
  "head: what is not there": ({ BUCKET }) => BUCKET.head("missing"),
  "head: an object": async (scene) => {
    await hello(scene, { httpMetadata: METADATA, customMetadata: { a: "b" } });
    return scene.BUCKET.head(scene.own);
  },
  "head: has no body": async (scene) => {
    await hello(scene);
    const object = await scene.BUCKET.head(scene.own);
    return ["body" in object, object.body, typeof object.text, object.constructor.name];
  },
  "get: what is not there": ({ BUCKET }) => BUCKET.get("missing"),
  "get: an object with its body": async (scene) => {
    await hello(scene, { httpMetadata: METADATA, customMetadata: { a: "b" } });
    return scene.BUCKET.get(scene.own);
  },
  "get: the ways to read a body": async ({ BUCKET, own }) => {
    await BUCKET.put(own, '{"a":1}', { httpMetadata: { contentType: "application/json" } });
    const get = () => BUCKET.get(own);
    return outcomes({
      text: async () => (await get()).text(),
      json: async () => (await get()).json(),
      arrayBuffer: async () => (await get()).arrayBuffer(),
      bytes: async () => (await get()).bytes(),
      blob: async () => (await get()).blob(),
      stream: async () => (await get()).body,
      response: async () => new Response((await get()).body),
    });
  },
  "get: a body is read once": async (scene) => {
    await hello(scene);
    const object = await scene.BUCKET.get(scene.own);
    const before = object.bodyUsed;
    const text = await object.text();
    return [before, text, object.bodyUsed, await outcome(() => object.text())];
  },
  "get: JSON that is none": async (scene) => {
    await hello(scene);
    return (await scene.BUCKET.get(scene.own)).json();
  },
  "get: an empty object": async ({ BUCKET, own }) => {
    await BUCKET.put(own, "");
    const object = await BUCKET.get(own);
    return [object.size, await object.text()];
  },
  "get: ranges": async ({ BUCKET, own }) => {
    await BUCKET.put(own, "0123456789");
    const read = async (range: unknown) => {
      const object = await BUCKET.get(own, { range });
      return [object.range, object.size, await object.text()];
    };
    return outcomes({
      none: () => read(undefined),
      part: () => read({ offset: 2, length: 3 }),
      from: () => read({ offset: 7 }),
      length: () => read({ length: 4 }),
      suffix: () => read({ suffix: 3 }),
      longSuffix: () => read({ suffix: 30 }),
      tooLong: () => read({ offset: 8, length: 30 }),
      header: () => read(new Headers({ range: "bytes=1-4" })),
      openHeader: () => read(new Headers({ range: "bytes=6-" })),
      suffixHeader: () => read(new Headers({ range: "bytes=-2" })),
      manyHeader: () => read(new Headers({ range: "bytes=0-1,3-4" })),
      otherHeader: () => read(new Headers({ range: "lines=1-2" })),
      noHeader: () => read(new Headers()),
    });
  },
  "get: ranges that are none": async ({ BUCKET, own }) => {
    await BUCKET.put(own, "0123456789");
    const read = (range: unknown) => async () => (await BUCKET.get(own, { range })).text();
    return outcomes({
      beyond: read({ offset: 10 }),
      far: read({ offset: 99, length: 1 }),
      negative: read({ offset: -1 }),
      empty: read({ offset: 1, length: 0 }),
      negativeLength: read({ length: -1 }),
      zeroSuffix: read({ suffix: 0 }),
      both: read({ suffix: 1, offset: 1 }),
      nothing: read({}),
      string: read("bytes=1-2"),
      part: read({ offset: 1.5 }),
      word: read({ offset: "two" }),
    });
  },
  "get: onlyIf": async (scene) => {
    const { etag } = await hello(scene);
    const { BUCKET, own } = scene;
    const read = (onlyIf: unknown) => async () => {
      const object = await BUCKET.get(own, { onlyIf });
      return [object.constructor.name, "body" in object, await object.text?.()];
    };
    return outcomes({
      same: read({ etagMatches: etag }),
      other: read({ etagMatches: "0".repeat(32) }),
      notSame: read({ etagDoesNotMatch: etag }),
      notOther: read({ etagDoesNotMatch: "0".repeat(32) }),
      before: read({ uploadedBefore: new Date(1_000) }),
      later: read({ uploadedBefore: new Date(4e12) }),
      after: read({ uploadedAfter: new Date(1_000) }),
      future: read({ uploadedAfter: new Date(4e12) }),
      seconds: read({ uploadedAfter: new Date(1_000), secondsGranularity: true }),
      two: read({ etagMatches: etag, uploadedBefore: new Date(1_000) }),
      empty: read({}),
    });
  },
  "get: onlyIf by headers": async (scene) => {
    const { etag } = await hello(scene);
    const { BUCKET, own } = scene;
    const read = (headers: Record<string, string>) => async () => {
      const object = await BUCKET.get(own, { onlyIf: new Headers(headers) });
      return "body" in object;
    };
    return outcomes({
      match: read({ "if-match": `"${etag}"` }),
      otherMatch: read({ "if-match": '"x"' }),
      anyMatch: read({ "if-match": "*" }),
      listMatch: read({ "if-match": `"x", "${etag}"` }),
      weakMatch: read({ "if-match": `W/"${etag}"` }),
      noneMatch: read({ "if-none-match": `"${etag}"` }),
      weakNoneMatch: read({ "if-none-match": `W/"${etag}"` }),
      otherNoneMatch: read({ "if-none-match": '"x"' }),
      unquoted: read({ "if-none-match": etag }),
      modified: read({ "if-modified-since": "Thu, 02 Jan 2031 03:04:05 GMT" }),
      unmodified: read({ "if-unmodified-since": "Thu, 02 Jan 1992 03:04:05 GMT" }),
      both: read({ "if-none-match": '"x"', "if-modified-since": "Thu, 02 Jan 2031 03:04:05 GMT" }),
      none: read({}),
    });
  },
  "get: options that are none": async (scene) => {
    await hello(scene);
    const { BUCKET, own } = scene;
    return outcomes({
      null: async () => (await BUCKET.get(own, null)).key === own,
      string: () => BUCKET.get(own, "x"),
      onlyIf: () => BUCKET.get(own, { onlyIf: "x" }),
    });
  },
  "get: a large object as a stream": async ({ BUCKET, own }) => {
    await BUCKET.put(own, new Uint8Array(5_000_000).fill(9));
    const object = await BUCKET.get(own);
    let length = 0;
    for await (const chunk of object.body) length += chunk.length;
    return [object.size, length];
  },
  "get: a stream that is left": async ({ BUCKET, own }) => {
    await BUCKET.put(own, new Uint8Array(1_000_000));
    const object = await BUCKET.get(own);
    const reader = object.body.getReader();
    const first = await reader.read();
    await reader.cancel();
    return [first.done, first.value.length > 0, (await BUCKET.head(own)).size];
  },
  "get: a response of a known length": async (scene) => {
    await hello(scene);
    const response = new Response((await scene.BUCKET.get(scene.own)).body);
    return [response.headers.get("content-length"), await response.text()];
  },
};

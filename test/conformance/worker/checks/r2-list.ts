import { type Checks, fixedStream, type Loose, outcome, outcomes } from "../check.ts";
import { hello, keysOf, METADATA } from "../hello-object.ts";

export const r2List: Checks = {
  "delete: what is there, and what is not": async (scene) => {
    await hello(scene);
    const { BUCKET, own } = scene;
    return [
      await outcomes({ there: () => BUCKET.delete(own), gone: () => BUCKET.delete(own) }),
      await BUCKET.head(own),
    ];
  },
  "delete: several": async ({ BUCKET, own }) => {
    for (const name of ["a", "b", "c"]) await BUCKET.put(own + name, name);
    const act = await outcome(() => BUCKET.delete([`${own}a`, `${own}c`, `${own}x`]));
    return [act, keysOf(await BUCKET.list({ prefix: own }))];
  },
  "delete: none, the most and more": ({ BUCKET }) => {
    const keys = (length: number) => Array.from({ length }, (_, n) => `none${n}`);
    return outcomes({
      none: () => BUCKET.delete([]),
      most: () => BUCKET.delete(keys(1_000)),
      more: () => BUCKET.delete(keys(1_001)),
    });
  },
  "list: the fields of an answer": async (scene) => {
    await hello(scene, { httpMetadata: METADATA, customMetadata: { a: "b" } });
    const list = await scene.BUCKET.list({ prefix: scene.own });
    return [Object.keys(list), list];
  },
  "list: nothing": ({ BUCKET }) => BUCKET.list({ prefix: "there is nothing like this" }),
  "list: the order is that of the keys' bytes": async ({ BUCKET, own }) => {
    for (const letter of ["b", "a", "B", "ä", "z", "1", "10", "2", "_", "👋", "aa"])
      await BUCKET.put(`${own}:${letter}`, "");
    return keysOf(await BUCKET.list({ prefix: `${own}:` }));
  },
  "list: a prefix is no pattern": async ({ BUCKET, own }) => {
    for (const key of ["a%b", "a_b", "axb", "A%b"]) await BUCKET.put(`${own}:${key}`, "");
    return [
      keysOf(await BUCKET.list({ prefix: `${own}:a%` })),
      keysOf(await BUCKET.list({ prefix: `${own}:a_` })),
    ];
  },
  "list: metadata if asked for": async (scene) => {
    await hello(scene, { httpMetadata: METADATA, customMetadata: { a: "b" } });
    const fields = async (include: unknown) => {
      const { objects } = await scene.BUCKET.list({ prefix: scene.own, include });
      return [objects[0].httpMetadata, objects[0].customMetadata];
    };
    return outcomes({
      none: () => fields([]),
      http: () => fields(["httpMetadata"]),
      custom: () => fields(["customMetadata"]),
      both: () => fields(["httpMetadata", "customMetadata"]),
      wrong: () => fields(["all"]),
      string: () => fields("httpMetadata"),
    });
  },
  "list: page by page": async ({ BUCKET, own }) => {
    for (let n = 0; n < 7; n++) await BUCKET.put(`${own}:${n}`, "");
    const pages: unknown[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 9; page++) {
      const list: Loose = await BUCKET.list({ prefix: `${own}:`, limit: 3, cursor });
      pages.push([keysOf(list), list.truncated, typeof list.cursor, "cursor" in list]);
      if (!list.truncated) break;
      cursor = list.cursor;
    }
    return pages;
  },
  "list: with a delimiter": async ({ BUCKET, own }) => {
    for (const key of ["a", "b/1", "b/2", "b/c/3", "d/4", "e"])
      await BUCKET.put(`${own}/${key}`, "");
    const read = async (options: Loose) => {
      const list = await BUCKET.list(options);
      return [keysOf(list), list.delimitedPrefixes, list.truncated];
    };
    return outcomes({
      top: () => read({ prefix: `${own}/`, delimiter: "/" }),
      below: () => read({ prefix: `${own}/b/`, delimiter: "/" }),
      whole: () => read({ prefix: own, delimiter: "/" }),
      long: () => read({ prefix: `${own}/`, delimiter: "/c/" }),
      limit: () => read({ prefix: `${own}/`, delimiter: "/", limit: 2 }),
    });
  },
  "list: from a key on": async ({ BUCKET, own }) => {
    for (let n = 0; n < 4; n++) await BUCKET.put(`${own}:${n}`, "");
    return outcomes({
      there: async () => keysOf(await BUCKET.list({ prefix: `${own}:`, startAfter: `${own}:1` })),
      between: async () =>
        keysOf(await BUCKET.list({ prefix: `${own}:`, startAfter: `${own}:1x` })),
      behind: async () => keysOf(await BUCKET.list({ prefix: `${own}:`, startAfter: `${own}:9` })),
    });
  },
  "list: limits": ({ BUCKET, own }) => {
    const read = (limit: unknown) => async () => keysOf(await BUCKET.list({ prefix: own, limit }));
    return outcomes({
      most: read(1_000),
      more: read(1_001),
      zero: read(0),
      negative: read(-1),
      part: read(1.5),
      word: read("many"),
    });
  },
  "list: cursors that are none": ({ BUCKET, own }) => {
    const read = (cursor: unknown) => async () =>
      keysOf(await BUCKET.list({ prefix: own, cursor }));
    return outcomes({ word: read("not a cursor"), empty: read(""), number: read(5) });
  },
  "list: objects have no body": async (scene) => {
    await hello(scene);
    const { objects } = await scene.BUCKET.list({ prefix: scene.own });
    return [objects[0].constructor.name, "body" in objects[0], typeof objects[0].writeHttpMetadata];
  },
  "multipart: the upload": async ({ BUCKET, own }) => {
    const upload = await BUCKET.createMultipartUpload(own);
    return [
      upload.constructor.name,
      upload.key,
      typeof upload.uploadId,
      Object.keys(upload),
      ["uploadPart", "complete", "abort"].map((name) => typeof upload[name]),
    ];
  },
  "multipart: one part": async ({ BUCKET, own }) => {
    const upload = await BUCKET.createMultipartUpload(own, {
      httpMetadata: METADATA,
      customMetadata: { a: "b" },
    });
    const part = await upload.uploadPart(1, "the only part");
    const object = await upload.complete([part]);
    return [
      Object.keys(part),
      part.partNumber,
      object.size,
      object.customMetadata,
      object.httpMetadata,
      await (await BUCKET.get(own)).text(),
    ];
  },
  "multipart: several parts": async ({ BUCKET, own }) => {
    const upload = await BUCKET.createMultipartUpload(own);
    const second = await upload.uploadPart(2, fixedStream("end"));
    const first = await upload.uploadPart(1, new Uint8Array(5 * 1024 * 1024).fill(65));
    const object = await upload.complete([first, second]);
    const text = await (await BUCKET.get(own)).text();
    return [object.size, /^[0-9a-f]{32}-2$/.test(object.etag), text.length, text.slice(-5)];
  },
  "multipart: several parts in another order": async ({ BUCKET, own }) => {
    const upload = await BUCKET.createMultipartUpload(own);
    const size = 5 * 1024 * 1024;
    const second = await upload.uploadPart(2, fixedStream("end"));
    const first = await upload.uploadPart(1, new Uint8Array(size).fill(65));
    const object = await upload.complete([second, first]);
    const text = await (await BUCKET.get(own)).text();
    return [object.size, /^[0-9a-f]{32}-2$/.test(object.etag), text.length, text.slice(-5)];
  },
  "multipart: parts that are too small": async ({ BUCKET, own }) => {
    const upload = await BUCKET.createMultipartUpload(own);
    const parts = [await upload.uploadPart(1, "a"), await upload.uploadPart(2, "b")];
    return outcome(() => upload.complete(parts));
  },
  "multipart: resumed": async ({ BUCKET, own }) => {
    const { uploadId } = await BUCKET.createMultipartUpload(own);
    const upload = BUCKET.resumeMultipartUpload(own, uploadId);
    const part = await upload.uploadPart(1, "resumed");
    await BUCKET.resumeMultipartUpload(own, uploadId).complete([{ ...part }]);
    return [upload.uploadId === uploadId, upload.key, await (await BUCKET.get(own)).text()];
  },
  "multipart: aborted": async ({ BUCKET, own }) => {
    const upload = await BUCKET.createMultipartUpload(own);
    const part = await upload.uploadPart(1, "x");
    const abort = await outcome(() => upload.abort());
    return [
      abort,
      await outcome(() => upload.uploadPart(2, "y")),
      await outcome(() => upload.complete([part])),
      await BUCKET.head(own),
    ];
  },
  "multipart: an upload that is not there": async ({ BUCKET, own }) => {
    const upload = BUCKET.resumeMultipartUpload(own, "no-such-upload");
    return outcomes({
      part: () => upload.uploadPart(1, "x"),
      complete: () => upload.complete([]),
      abort: () => upload.abort(),
    });
  },
  "multipart: parts that are none": async ({ BUCKET, own }) => {
    const upload = await BUCKET.createMultipartUpload(own);
    const part = await upload.uploadPart(1, "x");
    return outcomes({
      zero: () => upload.uploadPart(0, "x"),
      most: async () => (await upload.uploadPart(10_000, "x")).partNumber,
      more: () => upload.uploadPart(10_001, "x"),
      negative: () => upload.uploadPart(-1, "x"),
      nothing: () => upload.uploadPart(1),
      number: () => upload.uploadPart(1, 5),
      etag: () => upload.complete([{ partNumber: 1, etag: "wrong" }]),
      missing: () => upload.complete([part, { partNumber: 3, etag: part.etag }]),
      twice: () => upload.complete([part, part]),
      string: () => upload.complete("x"),
      nothingToComplete: () => upload.complete(),
    });
  },
  "multipart: none of it can be seen before it is complete": async ({ BUCKET, own }) => {
    const upload = await BUCKET.createMultipartUpload(own);
    await upload.uploadPart(1, "x");
    return [await BUCKET.head(own), keysOf(await BUCKET.list({ prefix: own }))];
  },
  "many at once": async ({ BUCKET, own }) => {
    const numbers = Array.from({ length: 30 }, (_, n) => n);
    await Promise.all(numbers.map((n) => BUCKET.put(`${own}:${n}`, `v${n}`)));
    return Promise.all(numbers.map(async (n) => (await BUCKET.get(`${own}:${n}`)).text()));
  },
};

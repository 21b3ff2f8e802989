/**
 * Where Switchback answers otherwise than Cloudflare's local runtime, and why that stays. The suite fails when
 * a difference is not here and when one that is here has gone; `docs/conformance.md` shows this table.
 */

export interface KnownDifference {
  /** As the table says it: what is different, and why. */
  readonly why: string;
  /** `group: check @ place`, as the suite prints it; `*` stands for any text. */
  readonly at: readonly string[];
}

export const KNOWN_DIFFERENCES: readonly KnownDifference[] = [
  {
    why: "R2: every object has the storage class `Standard`, as on Cloudflare; the local runtime knows none.",
    at: ["r2-*storageClass", "r2-put: put: storage classes @ *"],
  },
  {
    why: "R2: listed objects have metadata only if `include` asks for it, as Cloudflare documents.",
    at: [
      "r2-list: list: * @ *httpMetadata.*",
      "r2-list: list: * @ *customMetadata.$",
      "r2-list: list: metadata if asked for @ *",
    ],
  },
  {
    why: "R2: an empty key, a 1001st key to delete and a cursor that is none are refused, as on Cloudflare; the local runtime takes them.",
    at: [
      "r2-put: put: keys that are none @ answers.empty.*",
      "r2-list: delete: none, the most and more @ answers.more.*",
      "r2-list: list: cursors that are none @ *",
    ],
  },
  {
    why: "R2: a body that ends too early fails with an error of its own, since what is wrong with it is seen in another process.",
    at: ["r2-put: put: a stream shorter than it said @ *"],
  },
  {
    why: "R2: a method that was taken off its bucket rejects; the runtime's throws at once.",
    at: ["r2-get: methods need their binding @ *"],
  },
  {
    why: "KV: a cursor that is none is refused; the local runtime begins anew.",
    at: ["kv-read: list: cursors that are none @ answers.word.*"],
  },
  {
    why: "KV: metadata that JSON has no word for is left out; the local runtime fails with status 500.",
    at: ["kv-write: put: metadata that is no JSON @ answers.function.*"],
  },
  {
    why: "KV: `structuredClone` of a namespace gives an empty object instead of failing; another RPC method refuses it in other words.",
    at: [
      "kv-read: the binding is no plain data @ answers.clone.*",
      "platform: rpc: bindings cross it @ answers.rejected.message",
    ],
  },
  {
    why: "D1: the binding prints as a plain object.",
    at: ["d1-statements: the binding itself @ answers.tag"],
  },
  {
    why: "D1: more than 100 parameters are refused before the statement is looked at, so another of its errors is not seen.",
    at: ["d1-statements: bind: as many as there may be, and more @ *"],
  },
  {
    why: "D1: a statement that is only a comment, a query that is no text, a batch of what is no statement and `dump()` fail in other words; the local runtime's are traces of its own code.",
    at: [
      "d1-statements: errors: SQL that is none @ answers.comment.*",
      "d1-statements: errors: arguments that are none @ *",
      "d1-database: batch: none, one and a bare one @ answers.undefined.rejected.message",
      "d1-database: dump @ *",
    ],
  },
  {
    why: "Queues: limits of delay, size and number are Cloudflare's; the local runtime has none, and always tells an empty backlog.",
    at: [
      "queues: send: delays @ *",
      "queues: send: sizes @ *",
      "queues: sendBatch: sizes @ *",
      "queues: sendBatch: arguments that are none @ answers.delay*",
      "queues: send: bodies that cannot be sent @ answers.stream.*",
    ],
  },
  {
    why: "Queues: a function or a symbol is no body; the local runtime sends nothing in its place.",
    at: [
      "queues: send: bodies that cannot be sent @ answers.function.*",
      "queues: send: bodies that cannot be sent @ answers.symbol.*",
    ],
  },
  {
    why: "Queues: what is no message is refused in other words.",
    at: [
      "queues: sendBatch: arguments that are none @ answers.null.*",
      "queues: sendBatch: arguments that are none @ answers.number.*",
    ],
  },
  {
    why: "Queues: a message that was acknowledged does not come again with `retryAll()`, as Cloudflare documents; in the local runtime it does.",
    at: ["queues: consumer: an acknowledged message is not retried with its batch @ *"],
  },
  {
    why: "Durable Objects: jurisdictions are accepted, and mean this one machine; the local runtime refuses them.",
    at: ["durable-objects: ids: jurisdictions @ *"],
  },
  {
    why: "Durable Objects: a stub's constructor, called, fails in other words.",
    at: ["object-calls: rpc: methods that are none @ answers.constructor.*"],
  },
  {
    why: "Durable Objects: an error that is only a string carries the object's id.",
    at: ["object-calls: rpc: errors @ answers.string.*"],
  },
  {
    why: "Durable Objects: `fetch` crosses a process, so that the object sees a `host` header and the caller a `content-length`.",
    at: ["object-calls: fetch: * @ answers.headers.*"],
  },
  {
    why: "Cache: a stored stream has a known length, and headers of a match can be changed.",
    at: [
      "cache: put: a stream @ answers.match.headers.content-length",
      "cache: match: headers can be changed @ *",
    ],
  },
  {
    why: "Rate limits and Analytics Engine: class names and fields are those of Cloudflare's documentation and runtime; the local runtime has stand-ins that show their own.",
    at: [
      "platform: env: kinds of bindings @ answers.EVENTS",
      "platform: ratelimit: itself @ *",
      "platform: analytics: itself @ *",
    ],
  },
  {
    why: "Analytics Engine: too many indexes, blobs or doubles throw, as on Cloudflare; the local stand-in takes anything.",
    at: ["platform: analytics: writeDataPoint @ *"],
  },
  {
    why: "`ctx.exports` also shows the entrypoint by which the gateway runs events.",
    at: ["platform: ctx: what is in it @ answers.exports.*"],
  },
  {
    why: "Assets: ranges are answered with 206 and 416, `If-None-Match: *` with 304 and `HEAD` has a length, as Cloudflare's edge does it; the local runtime has no edge.",
    at: [
      "assets: HEAD @ *",
      "assets: any tag @ *",
      "assets: *range* @ *",
      "assets: a suffix @ *",
      "assets: pages: HEAD of nothing @ *",
      "platform: assets: by the binding @ answers.head.*",
      "platform: assets: by the binding @ answers.range.*",
    ],
  },
  {
    why: "HTTP: `accept-encoding` and `connection` are between the visitor and Switchback; a Worker does not see them.",
    at: ["http: a Durable Object @ headers.x-names"],
  },
];

/** Anything a Worker can hold, as JSON that tells apart whatever code could tell apart. */

import type { Loose } from "./check.ts";

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const DEPTH_MAX = 8;
const TEXT_MAX = 600;
/** Different in every run; only what kind of value they are is compared. */
const OPAQUE_KEYS = new Set([
  "version",
  "uploadId",
  "cursor",
  "bookmark",
  "duration",
  "size_after",
  "sql_duration_ms",
  "served_by",
  "served_by_region",
  "served_by_colo",
  "durableObjectId",
]);
const HEADERS_LEFT_OUT = new Set([
  "date",
  "server",
  "cf-ray",
  "x-request-id",
  "x-mf-additional-response-log",
]);
/** A time that is about now is different in every run, in milliseconds. */
const NOW_MS = 600_000;

const typeName = (value: object): string => {
  const prototype = Object.getPrototypeOf(value) as { constructor?: unknown } | null;
  const constructor = prototype?.constructor;
  return typeof constructor === "function" ? constructor.name : String(constructor);
};

const shortened = (text: string): Json =>
  text.length <= TEXT_MAX
    ? text
    : { $: "long text", length: text.length, start: text.slice(0, 80) };

export async function describe(value: unknown, depth = 0): Promise<Json> {
  if (depth > DEPTH_MAX) return { $: "too deep" };
  switch (typeof value) {
    case "undefined":
      return { $: "undefined" };
    case "boolean":
      return value;
    case "string":
      return shortened(value);
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { $: "number", value: Object.is(value, -0) ? "-0" : String(value) };
    case "bigint":
      return { $: "bigint", value: String(value) };
    case "symbol":
      return { $: "symbol", value: String(value) };
    case "function":
      return { $: "function", name: value.name };
    case "object":
      return value === null ? null : describeObject(value, depth);
  }
}

async function describeObject(value: object, depth: number): Promise<Json> {
  if (value instanceof Error) return describeError(value, depth);
  if (value instanceof Date) {
    const ms = value.getTime();
    const when = Number.isNaN(ms) ? "invalid" : value.toISOString();
    return { $: "Date", value: Math.abs(ms - Date.now()) < NOW_MS ? "about now" : when };
  }
  if (value instanceof ArrayBuffer) return { $: "ArrayBuffer", ...bytesOf(new Uint8Array(value)) };
  if (ArrayBuffer.isView(value))
    return {
      $: typeName(value),
      ...bytesOf(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)),
    };
  if (Array.isArray(value)) return Promise.all(value.map((item) => describe(item, depth + 1)));
  if (value instanceof Map || value instanceof Set)
    return { $: typeName(value), entries: await describe([...value], depth) };
  if (value instanceof RegExp) return { $: "RegExp", value: String(value) };
  if (value instanceof Headers) return { $: "Headers", ...headersOf(value) };
  if (value instanceof Response) return describeResponse(value);
  if (value instanceof Request)
    return { $: "Request", method: value.method, headers: headersOf(value.headers) };
  if (value instanceof ReadableStream)
    return { $: "ReadableStream", locked: value.locked, text: await drained(value) };
  if (value instanceof Blob)
    return { $: typeName(value), type: value.type, text: shortened(await value.text()) };
  if (value instanceof WebSocket) return { $: "WebSocket", readyState: value.readyState };
  return describeFields(value, depth);
}

/** Own fields and what the class offers as properties, whichever way the class keeps them. */
async function describeFields(value: object, depth: number): Promise<Json> {
  const name = typeName(value);
  const fields: { [key: string]: Json } = name === "Object" ? {} : { $: name };
  for (const key of propertyNames(value)) {
    let field: unknown;
    try {
      field = (value as Record<string, unknown>)[key];
    } catch (error) {
      field = error;
    }
    fields[key] = await describeField(key, field, depth + 1);
  }
  return fields;
}

const describeField = async (key: string, value: unknown, depth: number): Promise<Json> =>
  OPAQUE_KEYS.has(key) ? { $: `some ${typeof value}` } : describe(value, depth);

function propertyNames(value: object): string[] {
  const names = new Set(Object.keys(value));
  for (
    let prototype = Object.getPrototypeOf(value);
    prototype !== null && prototype !== Object.prototype;
    prototype = Object.getPrototypeOf(prototype)
  ) {
    for (const name of Object.getOwnPropertyNames(prototype))
      if (Object.getOwnPropertyDescriptor(prototype, name)?.get !== undefined) names.add(name);
  }
  return [...names].sort();
}

async function describeError(error: Error, depth: number): Promise<Json> {
  const fields: { [key: string]: Json } = {
    $: "error",
    class: typeName(error),
    name: error.name,
    message: shortened(error.message),
  };
  for (const key of Object.keys(error).sort())
    if (!(key in fields) && key !== "stack")
      fields[key] = await describeField(key, (error as unknown as Loose)[key], depth + 1);
  if (error.cause !== undefined) fields["cause"] = await describe(error.cause, depth + 1);
  return fields;
}

async function describeResponse(response: Response): Promise<Json> {
  return {
    $: "Response",
    status: response.status,
    statusText: response.statusText,
    headers: headersOf(response.headers),
    body: response.body === null ? null : shortened(await response.text()),
  };
}

const headersOf = (headers: Headers): { [key: string]: Json } =>
  Object.fromEntries([...headers].filter(([name]) => !HEADERS_LEFT_OUT.has(name)));

function bytesOf(array: Uint8Array): { [key: string]: Json } {
  const start = Array.from(array.subarray(0, 40), (byte) => byte.toString(16).padStart(2, "0"));
  return { length: array.byteLength, start: start.join("") };
}

async function drained(stream: ReadableStream): Promise<Json> {
  if (stream.locked) return null;
  try {
    return shortened(await new Response(stream).text());
  } catch (error) {
    return describeError(error as Error, 0);
  }
}

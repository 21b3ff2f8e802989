/**
 * What deployed code could call of what it holds: every method of every entrypoint that the gateway puts into a version's
 * environment is in its reach, whatever the injected code makes of it. The lists are the whole of it.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import * as main from "../../src/index.ts";

type Class = abstract new (...args: never[]) => unknown;

/** Names on the prototypes of a class, up to what every entrypoint has. */
function methodsOf(entrypoint: Class): string[] {
  const names = new Set<string>();
  for (
    let prototype: object | null = entrypoint.prototype as object;
    prototype !== null && prototype !== WorkerEntrypoint.prototype;
    prototype = Object.getPrototypeOf(prototype) as object | null
  ) {
    for (const name of Object.getOwnPropertyNames(prototype)) names.add(name);
  }
  names.delete("constructor");
  return [...names].sort();
}

/** By the name under which the main module exports it. */
const SURFACE: Readonly<Record<string, readonly string[]>> = {
  AnalyticsBinding: ["write"],
  AssetsBinding: ["fetch"],
  CacheBinding: ["delete", "match", "put"],
  D1Binding: ["query"],
  DurableObjectBinding: ["call", "fetch", "get"],
  Egress: ["fetch"],
  KvBinding: ["delete", "get", "getMany", "list", "put"],
  ObjectControl: ["deleteAlarm", "getAlarm", "isCurrent", "setAlarm"],
  QueueBinding: ["metrics", "send"],
  R2Binding: [
    "abortMultipartUpload",
    "completeMultipartUpload",
    "createMultipartUpload",
    "delete",
    "fetch",
    "head",
    "list",
  ],
  RateLimitBinding: ["limit"],
  // What it is asked for it passes on to the Worker that is bound; it has nothing of its own.
  ServiceBinding: [],
  TailCollector: ["tail"],
};

/** Of the gateway and the control plane alone: no loaded version ever holds one. */
const NEVER_HELD = new Set([
  "AnalyticsStore",
  "CacheStore",
  "ControlPlaneEntrypoint",
  "D1Store",
  "GatewayEntrypoint",
  "KvStore",
  "ObjectDispatcher",
  "ObjectsDoor",
  "QueueStore",
  "R2Store",
  "RateLimitStore",
]);

const entrypoints = Object.entries(main).filter(
  ([, value]) => typeof value === "function" && value.prototype instanceof WorkerEntrypoint,
) as [string, Class][];

describe("what deployed code holds", () => {
  it("is every entrypoint but those that are named as never given to it", () => {
    const held = entrypoints.map(([name]) => name).filter((name) => !NEVER_HELD.has(name));
    expect(held.sort()).toEqual(Object.keys(SURFACE).sort());
  });

  it.each(entrypoints.filter(([name]) => !NEVER_HELD.has(name)))(
    "%s has these methods and no others",
    (name, entrypoint) => {
      expect(methodsOf(entrypoint)).toEqual(SURFACE[name]);
    },
  );
});

import type { LoadableModule, LoadableVersion, ModuleType } from "../domain/version.ts";

/** A version without its modules' bytes. */
export interface VersionHead extends Omit<LoadableVersion, "modules"> {
  readonly modules: readonly {
    readonly name: string;
    readonly type: ModuleType;
    /** Bytes. */
    readonly size: number;
  }[];
}

/**
 * A version as it goes from one process to another. A message of the runtime's RPC holds at most 32 MiB, a stream
 * in it any number of bytes.
 */
export interface WireVersion {
  readonly head: VersionHead;
  /** The bytes of all modules, in the head's order. Flows as it is read. */
  readonly stream: ReadableStream<Uint8Array>;
}

export function toWire(version: LoadableVersion): WireVersion {
  const modules = version.modules.map(({ name, type, bytes }) => ({
    name,
    type,
    size: bytes.byteLength,
  }));
  const { readable, writable } = new FixedLengthStream(sizeOf(modules));
  // A reader that goes away is the reader's to report; nobody waits here.
  send(version.modules, writable).catch(() => {});
  return { head: { ...version, modules }, stream: readable };
}

async function send(modules: readonly LoadableModule[], to: WritableStream): Promise<void> {
  const writer = to.getWriter();
  for (const { bytes } of modules) {
    if (bytes.byteLength > 0) await writer.write(bytes);
  }
  await writer.close();
}

/** Throws when the stream breaks off, or does not hold exactly the bytes that the head tells of. */
export async function fromWire(
  head: VersionHead,
  stream: ReadableStream<Uint8Array>,
): Promise<LoadableVersion> {
  const expected = sizeOf(head.modules);
  const all = new Uint8Array(await new Response(stream).arrayBuffer());
  if (all.byteLength !== expected) {
    throw new Error(
      `version ${head.id} arrived with ${all.byteLength} of its ${expected} bytes of modules`,
    );
  }
  let at = 0;
  const modules = head.modules.map(({ name, type, size }) => ({
    name,
    type,
    bytes: all.subarray(at, (at += size)),
  }));
  return { ...head, modules };
}

const sizeOf = (modules: VersionHead["modules"]): number =>
  modules.reduce((sum, { name, size }) => {
    if (!Number.isSafeInteger(size) || size < 0) throw new Error(`module ${name} has no size`);
    return sum + size;
  }, 0);

import { createExecutionContext } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import {
  answerResponse,
  bucketOf,
  type BytesCall,
  callRequest,
} from "../../../src/data/r2/calls.ts";
import { R2_RESENT_BYTES_MAX } from "../../../src/domain/limits-r2.ts";
import { defineR2Binding } from "../../../src/gateway/bindings/r2-binding.ts";

/** The broker of bucket 7, over a door whose process is lost for the first `losses` calls. */
function brokerOver(losses: number) {
  const received: { readonly bucket: string; readonly bytes: number }[] = [];
  let calls = 0;
  const lost = () => calls++ < losses && Promise.reject(new Error("Network connection lost."));
  const R2_STORE = {
    async ping() {},
    async fetch(request: Request) {
      const bytes = (await request.arrayBuffer()).byteLength;
      await lost();
      received.push({ bucket: bucketOf(request), bytes });
      return answerResponse({ ok: true, value: null });
    },
    async delete(bucket: string) {
      await lost();
      received.push({ bucket, bytes: 0 });
      return { ok: true };
    },
    async completeMultipartUpload() {
      await lost();
    },
  };
  const ctx = Object.assign(createExecutionContext(), { props: { bucket: "7" } });
  const Broker = defineR2Binding<{ R2_STORE: unknown }>();
  const broker = new Broker(ctx as never, { R2_STORE });
  return { broker, received, calls: () => calls };
}

const put: BytesCall = { action: "put", key: "a" };
function request(call: BytesCall, body: BodyInit | null, size?: number): Request {
  const sent = callRequest("8", call, body)!;
  if (size !== undefined) sent.headers.set("x-switchback-r2-size", String(size));
  return sent;
}

describe("the broker of an R2 binding", () => {
  it("asks for its own bucket, whatever the version says", async () => {
    const { broker, received } = brokerOver(0);
    await broker.fetch(request(put, "abc", 3));
    await broker.delete("a");
    expect(received.map(({ bucket }) => bucket)).toEqual(["7", "7"]);
  });

  it("asks again after its process was lost what may be done twice, with all its bytes", async () => {
    const { broker, received } = brokerOver(2);
    const bytes = R2_RESENT_BYTES_MAX;
    await broker.fetch(request(put, new Uint8Array(bytes), bytes));
    expect(received).toEqual([{ bucket: "7", bytes }]);
    const reading = brokerOver(1);
    await reading.broker.fetch(request({ action: "get", key: "a" }, null));
    await reading.broker.delete("a");
    expect(reading.calls()).toBe(3);
  });

  it("never does twice what may not be: a stream, a write under a condition, an upload's end", async () => {
    const large = R2_RESENT_BYTES_MAX + 1;
    const conditional = { ...put, options: { onlyIf: { etagMatches: "x" } } };
    for (const call of [
      (broker: InstanceType<ReturnType<typeof defineR2Binding>>) =>
        broker.fetch(request(put, "streamed")),
      (broker) => broker.fetch(request(put, new Uint8Array(large), large)),
      (broker) => broker.fetch(request(conditional, "abc", 3)),
      (broker) => broker.completeMultipartUpload("a", "upload", []),
    ] satisfies ((
      broker: InstanceType<ReturnType<typeof defineR2Binding>>,
    ) => Promise<unknown>)[]) {
      const { broker, calls } = brokerOver(1);
      await expect(call(broker as never)).rejects.toThrow("R2 did not answer");
      expect(calls()).toBe(1);
    }
  });

  it("keeps no more bytes than were announced", async () => {
    const { broker, received } = brokerOver(0);
    await expect(broker.fetch(request(put, "more than that", 3))).rejects.toThrow(
      "More bytes came",
    );
    expect(received).toEqual([]);
  });

  it("refuses what is no call, and what is too long for one", async () => {
    const { broker, received } = brokerOver(0);
    expect((await broker.fetch(new Request("http://r2/"))).status).toBe(400);
    const long = new Request("http://r2/", {
      headers: { "x-switchback-r2": JSON.stringify({ action: "get", key: "k".repeat(70_000) }) },
    });
    const answer = await broker.fetch(long);
    expect(answer.headers.get("x-switchback-r2")).toContain("too large");
    expect(received).toEqual([]);
  });
});

import { describe, expect, it } from "vitest";
import {
  QUEUE_DELAY_SECONDS_MAX,
  QUEUE_MESSAGE_BYTES_MAX,
  QUEUE_SEND_BYTES_MAX,
  QUEUE_SEND_MESSAGES_MAX,
} from "../../src/domain/limits-queue.ts";
import { cloneBytes, readOutgoing } from "../../src/domain/queue-message.ts";

const text = (body: unknown, more = {}) => ({ contentType: "text", body, ...more });
const refusal = (...messages: unknown[]) => {
  const read = readOutgoing(messages);
  return read.ok ? null : read.error;
};

describe("what a queue takes in", () => {
  it("up to the limits of one message and of one call, and not a byte or a message more", () => {
    const bytes = "é".repeat(QUEUE_MESSAGE_BYTES_MAX / 2);
    expect(refusal(text(bytes))).toBeNull();
    expect(refusal(text(`${bytes}a`))).toBe("Payload Too Large");
    expect(
      refusal({ contentType: "bytes", body: new Uint8Array(QUEUE_MESSAGE_BYTES_MAX + 1) }),
    ).toBe("Payload Too Large");
    const whole = Array.from({ length: QUEUE_SEND_BYTES_MAX / QUEUE_MESSAGE_BYTES_MAX }, () =>
      text(bytes),
    );
    expect(refusal(...whole)).toBeNull();
    expect(refusal(...whole, text("a"))).toBe("Payload Too Large");
    const many = Array.from({ length: QUEUE_SEND_MESSAGES_MAX }, () => text("a"));
    expect(refusal(...many)).toBeNull();
    expect(refusal(...many, text("a"))).toBe("Payload Too Large");
    expect(refusal()).toBe("Bad Request");
  });

  it("a delay of whole seconds, up to its limit", () => {
    for (const delaySeconds of [null, 0, QUEUE_DELAY_SECONDS_MAX]) {
      expect(refusal(text("a", { delaySeconds }))).toBeNull();
    }
    for (const delaySeconds of [-1, 1.5, QUEUE_DELAY_SECONDS_MAX + 1, "1", Number.NaN]) {
      expect(refusal(text("a", { delaySeconds }))).toBe("Bad Request");
    }
  });

  it("nothing whose body is not what its content type says", () => {
    for (const message of [
      text(1),
      { contentType: "json", body: "{" },
      { contentType: "json", body: {} },
      { contentType: "bytes", body: "a" },
      { contentType: "v8", body: undefined },
      { contentType: "xml", body: "a" },
      { contentType: "__proto__", body: "a" },
      null,
      "a",
    ]) {
      expect(refusal(message)).toBe("Bad Request");
    }
    expect(readOutgoing("no list")).toEqual({ ok: false, error: "Bad Request" });
  });
});

describe("the size of a value that is kept as a clone", () => {
  it("is about that of its parts, each object counted once", () => {
    const shared = { text: "x".repeat(1_000) };
    expect(cloneBytes([shared, shared])).toBeLessThan(1_100);
    expect(cloneBytes(new Map([["a", new Uint8Array(5_000)]]))).toBeGreaterThan(5_000);
    expect(cloneBytes("\u4e00".repeat(100))).toBeGreaterThan(200);
    const loop: unknown[] = [];
    loop.push(loop);
    expect(cloneBytes(loop)).toBeLessThan(100);
  });

  it("is over the limit for what is over it", () => {
    const large = Array.from({ length: QUEUE_MESSAGE_BYTES_MAX }, (_, index) => index);
    expect(cloneBytes(large)).toBeGreaterThan(QUEUE_MESSAGE_BYTES_MAX);
    expect(refusal({ contentType: "v8", body: large })).toBe("Payload Too Large");
  });

  it("is none for what cannot be kept", () => {
    expect(cloneBytes({ run: () => 1 })).toBeNull();
    expect(refusal({ contentType: "v8", body: { run: () => 1 } })).toBe("Bad Request");
  });
});

import { describe, expect, it } from "vitest";
import type { VersionId, WorkerId } from "../../src/domain/ids.ts";
import {
  ASK_MS_MAX,
  PREVIEW_ASKS_UNDER_WAY_MAX,
  PREVIEW_LABELS_KEPT_MAX,
  PREVIEW_PLACE_POLL_MS,
  PREVIEW_PLACE_WAIT_MS_MAX,
  PREVIEW_REQUESTS_WAITING_MAX,
  SHARED_ASK_MS_MAX,
} from "../../src/domain/limits.ts";
import { ControlPlaneUnavailable } from "../../src/gateway/gateway-errors.ts";
import { PreviewAsks, type Preview } from "../../src/gateway/preview-asks.ts";
import { settle, VirtualTime } from "./virtual-time.ts";

const WORKER = "w" as WorkerId;

/** A preview of the version `id`. */
const of = (id: string): Preview => ({ versionId: id as VersionId, stopped: null, tailed: false });

function setUp() {
  const time = new VirtualTime();
  const asks: (PromiseWithResolvers<Preview> & { readonly label: string })[] = [];
  const previews = new PreviewAsks({
    controlPlane: {
      previewVersion: (_, label) => {
        const ask = Promise.withResolvers<Preview>();
        asks.push({ ...ask, label });
        return ask.promise;
      },
    },
    now: () => time.now,
    wait: time.wait,
  });
  const deferred: Promise<unknown>[] = [];
  /** A request for a label; `outcome` is there when it has been answered. */
  const visit = (label = "a") => {
    const request: { outcome?: unknown } = {};
    previews
      .find((work) => void deferred.push(work), WORKER, label)
      .then(
        (preview) => (request.outcome = preview?.versionId ?? null),
        (error: unknown) => (request.outcome = error),
      );
    return request;
  };
  const visits = (count: number, label: (at: number) => string) =>
    Array.from({ length: count }, (_, at) => visit(label(at)));
  /** Takes every place with labels of their own. */
  const crowd = () => visits(PREVIEW_ASKS_UNDER_WAY_MAX, (at) => `other${at}`);
  return { time, asks, visit, visits, crowd, deferred };
}

const refused = (requests: readonly { readonly outcome?: unknown }[]) =>
  requests.filter(({ outcome }) => outcome instanceof ControlPlaneUnavailable).length;

describe("requests for one preview", () => {
  it("ask anew each time, so that a moved alias and a new upload are seen at once", async () => {
    const { asks, visit } = setUp();
    const answers: (Preview | null)[] = [null, of("v1"), of("v2"), null];
    for (const [at, answer] of answers.entries()) {
      const request = visit();
      await settle();
      asks[at]?.resolve(answer);
      await settle();
      expect(request.outcome).toBe(answer?.versionId ?? null);
    }
    expect(asks).toHaveLength(answers.length);
  });

  it.each([
    ["one that found nothing", null],
    ["one that found a version", of("old")],
  ])("never use an answer to a question from before they came: %s", async (_, early) => {
    const { asks, visit, visits } = setUp();
    const first = visit();
    await settle();
    const later = visits(50, () => "a");
    await settle();
    expect(asks).toHaveLength(1);
    asks[0]?.resolve(early);
    await settle();
    expect(first.outcome).toBe(early?.versionId ?? null);
    expect(later.every(({ outcome }) => outcome === undefined)).toBe(true);
    asks[1]?.resolve(of("new"));
    await settle();
    expect(later.map(({ outcome }) => outcome)).toEqual(later.map(() => "new"));
  });

  it("share one question among all who came before it was sent", async () => {
    const { asks, visit, visits } = setUp();
    visit();
    await settle();
    visits(50, () => "a");
    await settle();
    asks[0]?.resolve(null);
    await settle();
    asks[1]?.resolve(null);
    await settle();
    expect(asks).toHaveLength(2);
  });

  it("share a failure too, as what it is", async () => {
    const { asks, visit, visits } = setUp();
    visit();
    await settle();
    const later = visits(10, () => "a");
    await settle();
    asks[0]?.resolve(null);
    await settle();
    asks[1]?.reject(new Error("down"));
    await settle();
    expect(refused(later)).toBe(later.length);
    expect(asks).toHaveLength(2);
  });

  it("do not wait long for one whose asker is gone", async () => {
    const { time, asks, visit } = setUp();
    visit();
    await settle();
    const second = visit();
    await time.pass(SHARED_ASK_MS_MAX);
    asks[1]?.resolve(of("v1"));
    await settle();
    expect(second.outcome).toBe("v1");
  });

  it("keep their question going when their visitor leaves", async () => {
    const { asks, visit, deferred } = setUp();
    visit();
    await settle();
    expect(deferred).toHaveLength(1);
    asks[0]?.resolve(null);
    await expect(deferred[0]).resolves.toEqual({ ok: true, preview: null });
  });

  it("are told so when the control plane does not answer", async () => {
    const { time, visit } = setUp();
    const request = visit();
    await time.pass(ASK_MS_MAX);
    expect(refused([request])).toBe(1);
  });
});

describe("requests for many previews", () => {
  it("ask few questions at a time, whatever their labels", async () => {
    const { time, asks, visits } = setUp();
    const requests = visits(40, (at) => `l${at}`);
    await settle();
    for (let done = 0; done < requests.length; await time.pass(PREVIEW_PLACE_POLL_MS)) {
      const underWay = asks.slice(done);
      expect(underWay.length).toBe(Math.min(PREVIEW_ASKS_UNDER_WAY_MAX, requests.length - done));
      for (const { label, resolve } of underWay) resolve(of(label));
      done = asks.length;
    }
    expect(requests.map(({ outcome }) => outcome)).toEqual(requests.map((_, at) => `l${at}`));
  });

  it("are refused when there is no place for so long", async () => {
    const { time, asks, visit, crowd } = setUp();
    crowd();
    const request = visit();
    await time.pass(PREVIEW_PLACE_WAIT_MS_MAX - PREVIEW_PLACE_POLL_MS);
    expect(request.outcome).toBeUndefined();
    await time.pass(2 * PREVIEW_PLACE_POLL_MS);
    expect(refused([request])).toBe(1);
    expect(asks).toHaveLength(PREVIEW_ASKS_UNDER_WAY_MAX);
  });

  it("are refused at once when there are too many who wait", async () => {
    const { time, visit, visits, crowd } = setUp();
    crowd();
    const waiting = visits(PREVIEW_REQUESTS_WAITING_MAX, (at) => `l${at}`);
    await settle();
    expect(refused(waiting)).toBe(0);
    const request = visit();
    await settle();
    expect(refused([request])).toBe(1);
    // Those who waited are refused in the end, and others may wait in their stead.
    await time.pass(PREVIEW_PLACE_WAIT_MS_MAX + PREVIEW_PLACE_POLL_MS);
    expect(refused(waiting)).toBe(waiting.length);
    const next = visit();
    await settle();
    expect(refused([next])).toBe(0);
  });

  it("find places again when those who asked are gone", async () => {
    const { time, asks, visit, crowd } = setUp();
    crowd();
    await time.pass(ASK_MS_MAX + 1);
    const request = visit();
    await settle();
    asks.at(-1)?.resolve(of("v1"));
    await settle();
    expect(request.outcome).toBe("v1");
  });

  it("make nobody use an answer that is not theirs, after labels were forgotten too", async () => {
    const { asks, visit } = setUp();
    for (let at = 0; at < 3 * PREVIEW_LABELS_KEPT_MAX; at++) {
      const label = `l${at % (2 * PREVIEW_LABELS_KEPT_MAX)}`;
      const request = visit(label);
      await settle();
      asks[at]?.resolve(of(`${label} at ${at}`));
      await settle();
      expect(request.outcome).toBe(`${label} at ${at}`);
    }
  });
});

import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { request, type ClientRequest, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import {
  listenForAnnouncements,
  type Announcement,
  type Announcements,
} from "../../src/host/announcements.ts";
import { temporaryDirectory } from "./host-process.ts";

const listening: Announcements[] = [];
afterEach(() => Promise.all(listening.splice(0).map((announcements) => announcements.close())));

const BODY: Announcement = { gateway: "g1", workerId: "w1", versionId: "v1" };

async function listen(admit: (announcement: Announcement) => Promise<(() => void) | null>) {
  const socketPath = join(temporaryDirectory(), "supervisor.sock");
  listening.push(await listenForAnnouncements(socketPath, { admit }));
  return (body: string = JSON.stringify(BODY)): ClientRequest => {
    const sent = request({ socketPath, method: "POST", path: "/announce" });
    sent.on("error", () => undefined);
    sent.end(body);
    return sent;
  };
}

const answerOf = async (sent: ClientRequest) =>
  ((await once(sent, "response")) as [IncomingMessage])[0];

it("a dispatch runs from its admission until whoever announced it lets go of the answer", async () => {
  const over = Promise.withResolvers<void>();
  const admission = Promise.withResolvers<() => void>();
  const asked = Promise.withResolvers<Announcement>();
  const announce = await listen((announcement) => {
    asked.resolve(announcement);
    return admission.promise;
  });
  const sent = announce();
  expect(await asked.promise).toEqual(BODY);
  let isOver = false;
  admission.resolve(() => {
    isOver = true;
    over.resolve();
  });
  const answer = await answerOf(sent);
  expect([answer.statusCode, isOver]).toEqual([200, false]);
  answer.destroy();
  await over.promise;
});

it("a dispatch whose process ended before it was admitted is over at once", async () => {
  const over = Promise.withResolvers<void>();
  const admission = Promise.withResolvers<() => void>();
  const asked = Promise.withResolvers<void>();
  const announce = await listen(() => {
    asked.resolve();
    return admission.promise;
  });
  const sent = announce();
  await asked.promise;
  sent.destroy();
  await new Promise((done) => sent.once("close", done));
  // The other end of the connection has to hear of it, too.
  await new Promise((done) => setTimeout(done, 50));
  admission.resolve(over.resolve);
  await over.promise;
});

it("a dispatch that is not to run is refused", async () => {
  const announce = await listen(async () => null);
  expect((await answerOf(announce())).statusCode).toBe(503);
});

it("what is no announcement, or too long, is cut off; the next one is heard", async () => {
  const announce = await listen(async () => () => undefined);
  for (const body of ["", "{", "x".repeat(100_000)]) {
    const [cause] = (await once(announce(body), "error").catch((error: unknown) => [error])) as [
      Error,
    ];
    expect(cause).toBeInstanceOf(Error);
  }
  expect((await answerOf(announce())).statusCode).toBe(200);
});

it("a socket that a killed host has left is no obstacle, and none is left behind", async () => {
  const socketPath = join(temporaryDirectory(), "supervisor.sock");
  writeFileSync(socketPath, "");
  const announcements = await listenForAnnouncements(socketPath, { admit: async () => null });
  await announcements.close();
  expect(existsSync(socketPath)).toBe(false);
});

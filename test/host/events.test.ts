/** How events reach gateways: real sockets, a pretended gateway. */
import {
  createServer,
  request,
  type Server,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { EventDispatch, EventResult } from "../../src/domain/event.ts";
import type { WorkerId } from "../../src/domain/ids.ts";
import { type Events, listenForEvents } from "../../src/host/events.ts";
import type { Flight, Upstream } from "../../src/host/front/switchyard.ts";
import { temporaryDirectory } from "../e2e/support/temporary-directory.ts";

const opened: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

type Gateway = (dispatch: EventDispatch) => EventResult | "hang up" | Promise<EventResult>;

async function supervisor(gateways: Readonly<Record<string, Gateway | "not there">>) {
  const directory = temporaryDirectory();
  const names = Object.keys(gateways);
  for (const [name, gateway] of Object.entries(gateways)) {
    if (gateway !== "not there") await gatewayAt(join(directory, name), gateway);
  }
  const told: string[] = [];
  const socketPath = join(directory, "events.sock");
  const events: Events = await listenForEvents(socketPath, {
    switchyard: {
      place: (flight: Flight) => {
        told.push(`placed ${flight.host}`);
        const name = names[Math.min(flight.tries, names.length) - 1];
        return name === undefined
          ? { status: 503, headers: {}, body: "" }
          : { name, socketPath: `${name} is not asked there` };
      },
      lost: (_: Flight, { name }: Upstream, sent: boolean) => {
        told.push(`lost ${name} ${sent}`);
        return Promise.resolve({ status: 502, headers: {}, body: "" });
      },
      answered: (_: Flight, { name }: Upstream) => void told.push(`answered ${name}`),
      ended: (_: Flight, { name }: Upstream, end: string) => void told.push(`ended ${name} ${end}`),
    },
    internalSocketOf: (name) => join(directory, name),
    now: () => 0,
  });
  opened.unshift(events);
  return { told, send: (dispatch: unknown) => send(socketPath, dispatch) };
}

async function gatewayAt(socketPath: string, gateway: Gateway): Promise<void> {
  const serve = async (asked: IncomingMessage, response: ServerResponse) => {
    let text = "";
    for await (const chunk of asked) text += String(chunk);
    const result = await gateway(JSON.parse(text) as EventDispatch);
    if (result === "hang up") response.destroy();
    else response.end(JSON.stringify(result));
  };
  const server: Server = createServer((asked, response) => void serve(asked, response));
  await new Promise<void>((done) => server.listen(socketPath, done));
  opened.push(server);
}

function send(socketPath: string, dispatch: unknown): Promise<unknown> {
  return new Promise((done, fail) => {
    const sent = request({ socketPath, method: "POST", path: "/dispatch" }, (response) => {
      let text = "";
      response.on("data", (chunk) => (text += chunk));
      response.on("end", () => done(text === "" ? response.statusCode : JSON.parse(text)));
    });
    sent.once("error", fail);
    sent.end(JSON.stringify(dispatch));
  });
}

const event = { type: "scheduled", cron: "* * * * *", scheduledTime: 60_000 } as const;
const dispatch = (id: string): EventDispatch => ({ id, workerId: "w1" as WorkerId, event });
const ok = { outcome: "ok", versionId: "v" } as const;

describe("an event", () => {
  test("is placed under a name of its Worker's own, and its result comes back", async () => {
    const seen: EventDispatch[] = [];
    const run: Gateway = (given) => (seen.push(given), ok);
    const { send, told } = await supervisor({ g1: run });
    expect(await send(dispatch("a"))).toEqual(ok);
    expect(seen).toEqual([dispatch("a")]);
    expect(told).toEqual(["placed event:w1", "answered g1", "ended g1 complete"]);
  });

  test("goes to another gateway if the first was not there to take it", async () => {
    const { send, told } = await supervisor({ g1: "not there", g2: () => ok });
    expect(await send(dispatch("a"))).toEqual(ok);
    expect(told).toContain("lost g1 false");
    expect(told).toContain("answered g2");
  });

  test("that may have begun is not begun again, and the loss is told", async () => {
    let runs = 0;
    const again: Gateway = () => (runs++, ok);
    const { send, told } = await supervisor({ g1: () => (runs++, "hang up"), g2: again });
    expect(await send(dispatch("a"))).toMatchObject({ outcome: "lost" });
    expect(runs).toBe(1);
    expect(told).toEqual(["placed event:w1", "ended g1 unanswered", "lost g1 true"]);
  });

  test("that no gateway can take is known not to have begun", async () => {
    const { send } = await supervisor({});
    expect(await send(dispatch("a"))).toMatchObject({ outcome: "unavailable" });
  });

  test("sent again while it runs or just after runs once; one that could not begin runs then", async () => {
    let runs = 0;
    const release = Promise.withResolvers<EventResult>();
    const { send } = await supervisor({
      g1: () => (runs++ === 0 ? { outcome: "unavailable" } : release.promise),
    });
    expect(await send(dispatch("a"))).toMatchObject({ outcome: "unavailable" });
    const both = [send(dispatch("a")), send(dispatch("a"))];
    release.resolve(ok);
    expect(await Promise.all(both)).toEqual([ok, ok]);
    expect(await send(dispatch("a"))).toEqual(ok);
    expect(runs).toBe(2);
  });

  test("is one only if it looks like one", async () => {
    const { send } = await supervisor({ g1: () => ok });
    for (const wrong of [null, {}, { ...dispatch("a"), event: { type: "alarm" } }]) {
      expect(await send(wrong)).toBe(400);
    }
  });
});

import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { HEALTH_ANSWER_MS_MAX } from "../../src/domain/limits.ts";
import type { ControlState } from "../../src/host/control-process.ts";
import { FRONT_LIMITS } from "../../src/host/front/front-limits.ts";
import { HostNames } from "../../src/host/front/host-name.ts";
import { parseRequestHead, RequestHead } from "../../src/host/front/request-head.ts";
import type { Flight } from "../../src/host/front/switchyard.ts";
import { createLog } from "../../src/host/log.ts";
import { ownRoutes } from "../../src/host/own-routes.ts";

const ROOT_TOKEN = "sbk_root_token_of_these_tests";

interface State {
  control?: ControlState;
  gateways?: readonly { readonly kind: "pool" | "trial" | "quarantine"; readonly isUp: boolean }[];
  leaving?: boolean;
  token?: string;
  method?: string;
  text?: () => Promise<string>;
  /** The control process's own answer; null: none in time. */
  health?: { readonly status: number; readonly text: string } | null;
}

/** What the supervisor answers by itself; null: it passes the request on to the control process. */
async function asked(path: string, state: State = {}) {
  const { control = "ok", gateways = [{ kind: "pool", isUp: true }], leaving = false } = state;
  const lines: string[] = [];
  const routes = ownRoutes({
    control: {
      state: control,
      ask: async (socket, { path: asked, timeoutMs }) => {
        if (state.health === undefined) throw new Error("the control process is not to be asked");
        expect([socket, asked, timeoutMs]).toEqual(["api", "/healthz", HEALTH_ANSWER_MS_MAX]);
        return state.health ?? undefined;
      },
    },
    gateways: { alive: gateways },
    metrics: { text: state.text ?? (async () => "switchback_up 1\n") },
    rootTokenSha256: createHash("sha256").update(ROOT_TOKEN).digest("hex"),
    isLeaving: () => leaving,
    log: createLog(
      (line) => lines.push(line),
      () => new Date(0),
    ),
  });
  const { method = "GET", token } = state;
  const authorization = token === undefined ? "" : `authorization: ${token}\r\n`;
  const bytes = Buffer.from(
    `${method} ${path} HTTP/1.1\r\nhost: localhost\r\n${authorization}\r\n`,
  );
  const head = parseRequestHead(bytes, FRONT_LIMITS, new HostNames());
  if (!(head instanceof RequestHead)) throw new Error("not a head");
  const flight = { id: "r1", method } as Flight;
  const answer = await routes.get(path)?.(head, flight);
  return answer ?? null;
}

const bodyOf = async (path: string, state?: State) => {
  const answer = await asked(path, state);
  return answer && { status: answer.status, ...(JSON.parse(answer.body) as object) };
};

describe("/readyz", () => {
  it("is 200 while the API and at least one gateway answer", async () => {
    expect(await bodyOf("/readyz")).toEqual({
      status: 200,
      ready: true,
      control: "ok",
      gateways: 1,
      leaving: false,
    });
  });

  it.each<[string, State, object]>([
    ["the control process is down", { control: "down" }, { control: "down" }],
    ["it is wedged", { control: "does not answer" }, { control: "does not answer" }],
    [
      "the database does not answer",
      { control: "database does not answer" },
      { control: "database does not answer" },
    ],
    ["there is no gateway", { gateways: [] }, { gateways: 0 }],
    [
      "none is up but those for trials and suspects",
      {
        gateways: [
          { kind: "trial", isUp: true },
          { kind: "quarantine", isUp: true },
          { kind: "pool", isUp: false },
        ],
      },
      { gateways: 0 },
    ],
    ["the host drains or gives the data directory away", { leaving: true }, { leaving: true }],
  ])("is 503 and says why when %s", async (_what, state, why) => {
    expect(await bodyOf("/readyz", state)).toMatchObject({ status: 503, ready: false, ...why });
  });
});

describe("/healthz", () => {
  it("is the control process's own answer while there is one", async () => {
    const well = { status: 200, text: '{"status":"ok","version":"0.0.0"}' };
    expect(await asked("/healthz", { health: well })).toMatchObject({
      status: 200,
      headers: { "content-type": "application/json" },
      body: well.text,
    });
    const ill = { status: 503, text: '{"status":"database does not answer"}' };
    expect(
      await asked("/healthz", { control: "database does not answer", health: ill }),
    ).toMatchObject({ status: 503, body: ill.text });
  });

  it("is 503 from the supervisor when the control process has frozen and no probe knows of it yet", async () => {
    expect(await asked("/healthz", { control: "ok", health: null })).toMatchObject({
      status: 503,
      body: '{"status":"control process does not answer"}',
    });
  });

  it("is 503 from the supervisor at once when the control process is down or wedged", async () => {
    expect(await asked("/healthz", { control: "down" })).toMatchObject({
      status: 503,
      body: '{"status":"control process is down"}',
    });
    expect(await asked("/healthz", { control: "does not answer" })).toMatchObject({
      status: 503,
      body: '{"status":"control process does not answer"}',
    });
  });
});

describe("/metrics", () => {
  it("is for the root token alone; for others it is a 401 in the API's envelope", async () => {
    const tokens = [
      "",
      "Bearer",
      "Bearer wrong",
      `Basic ${ROOT_TOKEN}`,
      `Bearer ${"x".repeat(9_999)}`,
    ];
    for (const token of [undefined, ...tokens]) {
      const answer = await asked("/metrics", token === undefined ? {} : { token });
      expect(answer).toMatchObject({ status: 401, headers: { "www-authenticate": "Bearer" } });
      expect(JSON.parse(answer!.body)).toMatchObject({ success: false, errors: [{ code: 10000 }] });
      expect(answer!.body).not.toContain("switchback_up");
    }
    const right = await asked("/metrics", { token: `Bearer ${ROOT_TOKEN}` });
    expect(right).toMatchObject({ status: 200, body: "switchback_up 1\n" });
    expect(right!.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
  });
});

it("methods that would change something are left to the API to refuse", async () => {
  for (const path of ["/metrics", "/readyz", "/healthz"]) {
    expect(await asked(path, { method: "POST", control: "down" })).toBeNull();
    expect(await asked(path, { method: "HEAD", control: "down" })).not.toBeNull();
  }
});

import { describe, expect, it } from "vitest";
import {
  followHandover,
  launchEnvironment,
  launchOf,
  type HandoverHost,
  type ToLauncher,
  type ToSupervisor,
} from "../../src/host/handover.ts";

/** A host of which every step can be made to fail, and the launcher it talks to. */
function running(failing: readonly string[] = []) {
  const steps: string[] = [];
  const sent: ToLauncher[] = [];
  const step = async (name: string) => {
    steps.push(`${name} begins`);
    await new Promise((done) => setTimeout(done, 5));
    if (failing.includes(name)) throw new Error(`no ${name}`);
    steps.push(name);
  };
  const host: HandoverHost = {
    controlApi: "/run/old.sock",
    yieldControl: () => step("yield"),
    resumeControl: () => step("resume"),
    retire: (controlApi) => step(`retire to ${controlApi}`),
    restartGateways: () => step("restart"),
  };
  let tell: (message: ToSupervisor) => void = () => undefined;
  let over: (outcome: string) => void = () => undefined;
  const outcome = new Promise<string>((done) => (over = done));
  const answered = { next: (): void => undefined };
  followHandover({
    host,
    channel: {
      send: async (message) => {
        sent.push(message);
        answered.next();
      },
      onMessage: (listener) => (tell = listener),
      onLost: () => undefined,
    },
    log: { event: (_level, event) => void steps.push(`log: ${event}`) },
    onRetired: () => over("retired"),
    onBroken: () => over("broken"),
  });
  const answer = () => new Promise<void>((done) => (answered.next = done));
  return { steps, sent, outcome, answer, tell: (message: ToSupervisor) => tell(message) };
}

describe("a running host", () => {
  it("says that it has yielded only after its control process has ended", async () => {
    const { steps, sent, tell, answer } = running();
    const answered = answer();
    tell({ type: "yield" });
    expect(sent).toEqual([]);
    await answered;
    expect(sent).toEqual([{ type: "yielded" }]);
    expect(steps).toEqual(["yield begins", "yield", "log: control plane handed over"]);
  });

  it("ends once it is retired, to the control process that it was told of", async () => {
    const { steps, tell, outcome } = running();
    tell({ type: "retire", controlApi: "/run/new.sock" });
    expect(await outcome).toBe("retired");
    expect(steps.at(-1)).toBe("retire to /run/new.sock");
  });

  it("does one thing after the other: what is taken back has been given away before", async () => {
    const { steps, tell, outcome } = running();
    tell({ type: "yield" });
    tell({ type: "resume" });
    tell({ type: "retire", controlApi: "x" });
    await outcome;
    expect(steps.filter((name) => !name.startsWith("log"))).toEqual([
      "yield begins",
      "yield",
      "resume begins",
      "resume",
      "retire to x begins",
      "retire to x",
    ]);
  });

  it("says that it has resumed only once its control process serves again", async () => {
    const { steps, sent, tell, answer } = running();
    const yielded = answer();
    tell({ type: "yield" });
    await yielded;
    const resumed = answer();
    tell({ type: "resume" });
    await resumed;
    expect(sent).toEqual([{ type: "yielded" }, { type: "resumed" }]);
    expect(steps.slice(-2)).toEqual(["resume", "log: control plane taken back"]);
  });

  it("that cannot yield takes its control plane back and says why", async () => {
    const { steps, sent, tell, answer } = running(["yield"]);
    const answered = answer();
    tell({ type: "yield" });
    await answered;
    expect(sent).toEqual([{ type: "kept", reason: "no yield" }]);
    expect(steps).toContain("resume");
    expect(steps).not.toContain("log: control plane handed over");
  });

  it.each([
    ["resume", { type: "resume" }],
    ["retire to x", { type: "retire", controlApi: "x" }],
  ] as const)("that fails to %s is broken, and says so", async (name, message) => {
    const { steps, tell, outcome } = running([name]);
    tell(message);
    expect(await outcome).toBe("broken");
    expect(steps).toContain("log: handover failed");
  });

  it("restarts its gateways at any time, and goes on if that fails", async () => {
    const { steps, sent, tell, answer } = running(["restart"]);
    tell({ type: "restart-gateways" });
    const answered = answer();
    tell({ type: "yield" });
    expect(steps).toEqual(["log: gateways restarting", "restart begins"]);
    await answered;
    expect(sent).toEqual([{ type: "yielded" }]);
    expect(steps).toContain("log: gateways not restarted");
  });

  it("that can neither yield nor take back is broken", async () => {
    const { sent, tell, outcome } = running(["yield", "resume"]);
    tell({ type: "yield" });
    expect(await outcome).toBe("broken");
    expect(sent).toEqual([]);
  });
});

describe("what a supervisor is told by its environment", () => {
  it.each(["first", "again", "handover"] as const)("%s, and the port", (launch) => {
    expect(launchOf(launchEnvironment(launch, 8787))).toEqual({
      launch,
      listener: { fd: 3, port: 8787 },
    });
  });

  it("is nothing without a launcher", () => {
    expect(launchOf({})).toBeUndefined();
    expect(launchOf({ SWITCHBACK_LAUNCH: "other:1" })).toBeUndefined();
  });
});

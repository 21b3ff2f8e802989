import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { gone, HostProcess, temporaryDirectory } from "./host-process.ts";

const MAIN = fileURLToPath(new URL("fixture-launcher/launcher.ts", import.meta.url));

class Fixture {
  readonly directory = temporaryDirectory();
  readonly process: HostProcess;
  url = "";

  constructor(flags: readonly string[] = ["--port", "0"], behaviour = "") {
    if (behaviour !== "") this.nextOne(behaviour);
    this.process = new HostProcess([...flags, "--data", this.directory], {}, MAIN);
  }

  static async started(): Promise<Fixture> {
    const fixture = new Fixture();
    fixture.url = await fixture.process.url();
    return fixture;
  }

  /** What the supervisors started from now on do wrong. */
  nextOne(behaviour: string): void {
    writeFileSync(join(this.directory, "behaviour"), behaviour);
  }

  /** The body of an answer. A connection of its own, and no second try: whoever fails here has been failed. */
  get(path: string): Promise<string> {
    return new Promise((done, fail) => {
      let text = "";
      const socket = connect(Number(new URL(this.url).port), "127.0.0.1");
      socket.once("error", fail);
      socket.on("data", (chunk) => (text += chunk));
      socket.once("end", () => {
        const body = /\r\n\r\n([^]+)$/.exec(text)?.[1];
        if (body === undefined) fail(new Error(`cut off: ${text}`));
        else done(body);
      });
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    });
  }

  /** The supervisor that serves. */
  async pid(): Promise<number> {
    return Number(await this.get("/pid"));
  }

  upgrade(): void {
    this.process.child.kill("SIGUSR2");
  }

  /** Lines of the log that have the text. */
  count(text: string): number {
    return this.process.stdout.split(text).length - 1;
  }
}

async function ended(process: HostProcess) {
  return { code: await process.exited, stdout: process.stdout, stderr: process.stderr };
}

describe("a start", () => {
  it("shows what the supervisor shows, with the launcher as the process to signal", async () => {
    const { process, directory } = await Fixture.started();
    expect(process.stdout).toMatch(
      new RegExp(`switchback ready url=\\S+ .*pid=${process.child.pid}`),
    );
    expect(process.stdout).toContain("export CLOUDFLARE_ACCOUNT_ID=fixture\n");
    expect(readFileSync(join(directory, "host.pid"), "utf8")).toBe(`${process.child.pid}\n`);
  });

  it("that the supervisor refuses ends with its line and its exit code", async () => {
    const { code, stderr } = await ended(new Fixture(["--port", "0"], "refuses").process);
    expect({ code, stderr }).toEqual({ code: 1, stderr: "switchback: The fixture refuses.\n" });
  });

  it("that crashes before it was ever ready is not tried again", async () => {
    const { code, stdout } = await ended(new Fixture(["--port", "0"], "crashes").process);
    expect(code).toBe(1);
    expect(stdout).toContain("error supervisor ended before it was ready reason=SIGKILL");
  });

  it("on a port that another launcher has is refused in one sentence", async () => {
    const { url } = await Fixture.started();
    const { port } = new URL(url);
    const { code, stderr } = await ended(new Fixture(["--port", port]).process);
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`^switchback: Port ${port} on 127.0.0.1 is taken .*\\n$`));
  });

  it("of a supervisor by hand is refused", async () => {
    const entry = fileURLToPath(new URL("fixture-launcher/supervisor.ts", import.meta.url));
    const { code, stderr } = await ended(new HostProcess([], {}, entry));
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'switchback: This is started by "npm start", not by hand.\n',
    });
  });
});

describe("a stop", () => {
  it("refuses new connections at once, while those that are open are served to their end", async () => {
    const fixture = await Fixture.started();
    const { port } = new URL(fixture.url);
    const open = connect(Number(port), "127.0.0.1");
    await new Promise<void>((done) => open.once("connect", done));
    // Accepted in their order: now the open one is the supervisor's too.
    await fixture.pid();
    const stopped = fixture.process.kill("SIGTERM");
    while ((await attempt(Number(port))) !== "ECONNREFUSED");
    expect(fixture.process.child.exitCode).toBeNull();
    let answer = "";
    open.on("data", (chunk) => (answer += chunk));
    open.write("GET /pid HTTP/1.1\r\nHost: localhost\r\n\r\n");
    expect(await stopped).toBe(0);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});

/** `connected`, or the code of the error. */
function attempt(port: number): Promise<string> {
  return new Promise((done) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      done("connected");
    });
    socket.once("error", (error: NodeJS.ErrnoException) => done(error.code ?? ""));
  });
}

describe("a supervisor that is killed", () => {
  it("is followed by another on the same port, and no connection is refused meanwhile", async () => {
    const fixture = await Fixture.started();
    const first = await fixture.pid();
    process.kill(first, "SIGKILL");
    await gone(first);
    const second = await fixture.pid();
    expect(second).not.toBe(first);
    expect(fixture.process.stdout).toContain("error supervisor lost, restarting reason=SIGKILL");
    expect(fixture.count("export CLOUDFLARE_ACCOUNT_ID")).toBe(1);
    expect(await fixture.process.kill("SIGTERM")).toBe(0);
  });

  it("again and again makes the launcher give up with 1", async () => {
    const fixture = new Fixture(["--port", "0"], "crashes when ready");
    const { code, stdout } = await ended(fixture.process);
    expect(code).toBe(1);
    expect(stdout.split("supervisor lost, restarting").length - 1).toBe(10);
    expect(stdout).toContain("error supervisor cannot be kept running deaths=11");
  });

  it("is not followed by another if the launcher is to stop", async () => {
    const fixture = new Fixture(["--port", "0"], "crashes when ready");
    // With a pause before the next one.
    await fixture.process.seen(/restarting reason=SIGKILL pause=[1-9]/);
    expect(await fixture.process.kill("SIGTERM")).toBe(0);
  });
});

describe("a launcher that is killed", () => {
  it("takes its supervisor with it, and the next one starts on the same port and directory", async () => {
    const fixture = await Fixture.started();
    const supervisor = await fixture.pid();
    fixture.process.child.kill("SIGKILL");
    const flags = ["--port", new URL(fixture.url).port, "--data", fixture.directory];
    const next = new HostProcess(flags, {}, MAIN);
    expect(await next.url()).toBe(fixture.url);
    await gone(supervisor);
    expect(await fixture.pid()).not.toBe(supervisor);
  });
});

describe("stopping", () => {
  it.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)(
    "on %s lets a request in flight finish and ends with 0",
    async (signal) => {
      const fixture = await Fixture.started();
      const slow = fixture.get("/slow");
      const supervisor = await fixture.pid();
      expect(await fixture.process.kill(signal)).toBe(0);
      expect(Number(await slow)).toBe(supervisor);
      expect(fixture.process.stdout).toMatch(new RegExp(`info stopping signal=${signal}\\n`));
      expect(fixture.process.stdout).toMatch(/info stopped\n$/);
    },
  );

  it("takes a signal that npm and the terminal both send for one", async () => {
    const fixture = await Fixture.started();
    const slow = fixture.get("/slow");
    await fixture.pid();
    fixture.process.child.kill("SIGINT");
    await fixture.process.seen(/stopping/);
    fixture.process.child.kill("SIGINT");
    expect(await fixture.process.exited).toBe(0);
    await slow;
  });

  it("before it is ready ends with 0 too", async () => {
    const fixture = new Fixture(["--port", "0"], "hangs");
    await hanging(fixture);
    expect(await fixture.process.kill("SIGTERM")).toBe(0);
  });
});

/** The process id of a supervisor that does not get ready, once it has got that far. */
async function hanging({ directory }: Fixture): Promise<number> {
  for (;;) {
    try {
      return Number(readFileSync(join(directory, "hanging"), "utf8"));
    } catch {
      await new Promise((done) => setTimeout(done, 20));
    }
  }
}

function outcome({ directory }: Fixture): unknown {
  return JSON.parse(readFileSync(join(directory, "upgrade.json"), "utf8"));
}

describe("an upgrade", () => {
  it("hands port, directory and control plane over without failing one request", async () => {
    const fixture = await Fixture.started();
    const old = await fixture.pid();
    const visitors = new Set<number>();
    const api = new Set<number>();
    let over = false;
    const visit = async (path: string, seen: Set<number>) => {
      while (!over) seen.add(Number(await fixture.get(path)));
    };
    const load = [
      visit("/pid", visitors),
      visit("/pid", visitors),
      visit("/slow", visitors),
      visit("/api", api),
      visit("/api", api),
    ];
    fixture.upgrade();
    await fixture.process.seen(/info upgraded/);
    await fixture.process.seen(/info previous supervisor ended/);
    await gone(old);
    const current = await fixture.pid();
    over = true;
    await Promise.all(load);
    expect(current).not.toBe(old);
    expect(visitors).toEqual(new Set([old, current]));
    expect(api).toEqual(new Set([old, current]));
    expect(outcome(fixture)).toEqual({ upgraded: true });
    expect(fixture.count("export CLOUDFLARE_ACCOUNT_ID")).toBe(1);
    expect(await fixture.process.kill("SIGTERM")).toBe(0);
  });

  it("can follow another, and what it leaves is restarted like any other", async () => {
    const fixture = await Fixture.started();
    for (const round of [1, 2]) {
      fixture.upgrade();
      await fixture.process.seen(new RegExp(`(previous supervisor ended[^]*){${round}}`));
    }
    const last = await fixture.pid();
    process.kill(last, "SIGKILL");
    await gone(last);
    expect(await fixture.get("/api")).toBe(`${await fixture.pid()}`);
  });

  it.each([
    ["refuses to prepare", "The fixture refuses to prepare."],
    ["refuses", "The fixture refuses."],
    ["crashes", "it ended (SIGKILL)"],
  ])("whose new supervisor %s leaves everything with the old one", async (behaviour, reason) => {
    const fixture = await Fixture.started();
    const old = await fixture.pid();
    fixture.nextOne(behaviour);
    fixture.upgrade();
    await fixture.process.seen(/error upgrade failed, the running supervisor goes on/);
    expect(await fixture.get("/api")).toBe(`${old}`);
    expect(await fixture.pid()).toBe(old);
    expect(outcome(fixture)).toEqual({ upgraded: false, reason });
    expect(fixture.process.stderr).toBe("");
    expect(await fixture.process.kill("SIGTERM")).toBe(0);
  });

  it("that the old supervisor cannot let go of leaves everything with it", async () => {
    const fixture = new Fixture(["--port", "0"], "keeps");
    fixture.url = await fixture.process.url();
    const old = await fixture.pid();
    fixture.nextOne("");
    fixture.upgrade();
    await fixture.process.seen(/upgrade failed.*fixture keeps it/);
    expect(await fixture.get("/api")).toBe(`${old}`);
  });

  it("over which the old supervisor dies goes on with the new one", async () => {
    const fixture = new Fixture(["--port", "0"], "dies at yield");
    fixture.url = await fixture.process.url();
    const old = await fixture.pid();
    fixture.nextOne("");
    fixture.upgrade();
    await fixture.process.seen(/info upgraded/);
    expect(await fixture.get("/api")).toBe(`${await fixture.pid()}`);
    expect(await fixture.pid()).not.toBe(old);
    expect(fixture.process.stdout).not.toContain("restarting");
  });

  it("over which both die is followed by a restart", async () => {
    const fixture = new Fixture(["--port", "0"], "dies at yield");
    fixture.url = await fixture.process.url();
    fixture.nextOne("crashes");
    fixture.upgrade();
    await fixture.process.seen(/restarting/);
    rmSync(join(fixture.directory, "behaviour"));
    expect(await fixture.get("/api")).toBe(`${await fixture.pid()}`);
  });

  it("is refused while another is under way, and the signal to stop ends both", async () => {
    const fixture = await Fixture.started();
    fixture.nextOne("hangs");
    fixture.upgrade();
    const successor = await hanging(fixture);
    fixture.upgrade();
    await fixture.process.seen(/warn upgrade refused reason="Another upgrade is under way."/);
    expect(await fixture.process.kill("SIGTERM")).toBe(0);
    await gone(successor);
    expect(fixture.process.stdout).not.toContain("upgrade failed");
  });

  it("asked for before the supervisor is ready waits for it", async () => {
    const fixture = new Fixture(["--port", "0"], "hangs");
    const first = await hanging(fixture);
    fixture.upgrade();
    await fixture.process.seen(/info upgrade started/);
    process.kill(first, "SIGKILL");
    expect(await fixture.process.exited).toBe(1);
  });
});

/** Gateway processes on paper. */
import type { GatewayKind, GatewayProcess } from "../../src/host/gateway-process.ts";

interface Answer {
  readonly status: number;
  readonly text: string;
}

const OK: Answer = { status: 204, text: "" };

export class FakeGateway {
  readonly name: string;
  readonly kind: GatewayKind;
  readonly announces: boolean;
  readonly socketPath: string;
  readonly ended: Promise<string>;
  pid: number | undefined;
  isUp = false;
  /** Everything that it was told, in order; signals too. */
  readonly told: string[] = [];
  readonly bodies: unknown[] = [];
  /** What it answers; undefined: nothing. */
  answer: (path: string) => Promise<Answer | undefined> | Answer | undefined = () => OK;
  #end!: (reason: string) => void;

  constructor({
    name,
    kind,
    pid = 1,
    announces = kind === "quarantine",
  }: {
    readonly name: string;
    readonly kind: GatewayKind;
    readonly pid?: number;
    readonly announces?: boolean;
  }) {
    this.name = name;
    this.kind = kind;
    this.announces = announces;
    this.socketPath = `/run/${name}.sock`;
    this.pid = pid;
    this.ended = new Promise((done) => (this.#end = done));
  }

  /** As the code under test knows it. */
  get real(): GatewayProcess {
    return this as unknown as GatewayProcess;
  }

  async ask(method: string, path: string, _timeoutMs: number, body?: unknown) {
    this.told.push(`${method} ${path}`);
    this.bodies.push(body);
    return this.pid === undefined ? undefined : this.answer(path);
  }

  kill(): void {
    this.told.push("SIGKILL");
    this.die("SIGKILL");
  }

  async stop(drainMs: number): Promise<void> {
    this.told.push(`stop ${drainMs}`);
    this.die("exit code 0");
    await this.ended;
  }

  die(reason: string): void {
    this.pid = undefined;
    this.#end(reason);
  }
}

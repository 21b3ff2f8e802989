import { D1_EXPORT_CHUNK_BYTES } from "../../domain/limits-d1.ts";

/** Text as a stream, made as it is read. `over` is called once: at its end, or when it is given up. */
export class DumpStream {
  readonly stream: ReadableStream<Uint8Array>;
  readonly #lines: Iterator<string>;
  readonly #over: () => void;
  #controller: ReadableByteStreamController | null = null;
  #touchedAt = Date.now();
  #isOver = false;

  constructor(lines: Iterator<string>, over: () => void) {
    this.#lines = lines;
    this.#over = over;
    this.stream = new ReadableStream({
      type: "bytes",
      start: (controller) => {
        this.#controller = controller;
      },
      pull: (controller) => this.#pull(controller),
      cancel: () => this.#finish(),
    });
  }

  /** How long nobody has read, in milliseconds. */
  get idleMs(): number {
    return Date.now() - this.#touchedAt;
  }

  giveUp(): void {
    if (this.#isOver) return;
    this.#controller?.error(new Error("The export was given up: nobody read it."));
    this.#finish();
  }

  #pull(controller: ReadableByteStreamController): void {
    this.#touchedAt = Date.now();
    const encoder = new TextEncoder();
    const parts: string[] = [];
    let chars = 0;
    while (chars < D1_EXPORT_CHUNK_BYTES) {
      const line = this.#lines.next();
      if (line.done === true) {
        this.#finish();
        if (chars > 0) controller.enqueue(encoder.encode(parts.join("")));
        controller.close();
        return;
      }
      parts.push(line.value);
      chars += line.value.length;
    }
    controller.enqueue(encoder.encode(parts.join("")));
  }

  #finish(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#lines.return?.();
    this.#over();
  }
}

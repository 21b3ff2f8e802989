/**
 * Cuts what a process writes into lines, and lets no more of it through than a log can take: deployed code decides
 * how much it prints. What is too much is read and thrown away, since a process whose output is not read stands still.
 */
import {
  GATEWAY_LOG_BURST_BYTES,
  GATEWAY_LOG_BYTES_PER_SECOND,
  GATEWAY_LOG_LINE_BYTES_MAX,
  LOG_LINE_CHARS_MAX,
  SUPPRESSED_NOTICE_MS,
} from "../domain/limits.ts";

/** What one line costs beside its text, in bytes: its time, its event, its process. */
const LINE_OVERHEAD_BYTES = 100;
const LF = 10;

export interface OutputLinesParts {
  readonly onLine: (line: string) => void;
  /** So many lines have been thrown away since the last call; at most one in SUPPRESSED_NOTICE_MS. */
  readonly onSuppressed: (lines: number) => void;
  /** Milliseconds, of a clock that does not go back. */
  readonly now: () => number;
}

/** One for all streams of a process: they share one allowance. */
export class OutputLines {
  readonly #parts: OutputLinesParts;
  #allowance = GATEWAY_LOG_BURST_BYTES;
  #filledAt: number;
  #suppressed = 0;
  #notice: NodeJS.Timeout | undefined;

  constructor(parts: OutputLinesParts) {
    this.#parts = parts;
    this.#filledAt = parts.now();
  }

  /** A reader for one stream: call it with each chunk. */
  stream(): (chunk: Buffer) => void {
    let begun: Buffer[] = [];
    let bytes = 0;
    const add = (part: Buffer) => {
      const room = GATEWAY_LOG_LINE_BYTES_MAX - bytes;
      bytes += part.length;
      // Only the beginning is kept, and copied: a chunk is far larger than most of its lines.
      if (room > 0) begun.push(Buffer.from(part.subarray(0, room)));
    };
    return (chunk) => {
      let from = 0;
      for (;;) {
        const end = chunk.indexOf(LF, from);
        if (end < 0) break;
        const length = bytes + end - from;
        if (this.#takes(length)) {
          add(chunk.subarray(from, end));
          this.#parts.onLine(Buffer.concat(begun).toString());
        }
        begun = [];
        bytes = 0;
        from = end + 1;
      }
      if (from < chunk.length) add(chunk.subarray(from));
    };
  }

  /** Tells what has not been told yet. */
  end(): void {
    clearTimeout(this.#notice);
    this.#tell();
  }

  /** Whether a line of so many bytes may pass. */
  #takes(bytes: number): boolean {
    const now = this.#parts.now();
    const refill = ((now - this.#filledAt) / 1_000) * GATEWAY_LOG_BYTES_PER_SECOND;
    this.#filledAt = now;
    this.#allowance = Math.min(GATEWAY_LOG_BURST_BYTES, this.#allowance + refill);
    const cost = Math.min(bytes, LOG_LINE_CHARS_MAX) + LINE_OVERHEAD_BYTES;
    if (cost <= this.#allowance) {
      this.#allowance -= cost;
      return true;
    }
    this.#suppressed++;
    this.#notice ??= setTimeout(() => this.#tell(), SUPPRESSED_NOTICE_MS).unref();
    return false;
  }

  #tell(): void {
    const lines = this.#suppressed;
    this.#suppressed = 0;
    this.#notice = undefined;
    if (lines > 0) this.#parts.onSuppressed(lines);
  }
}

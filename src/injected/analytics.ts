/** An Analytics Engine dataset as the Workers API has it: writing to it is never waited for, and never fails later. */
import { waitUntil } from "cloudflare:workers";
import type { RawBinding } from "./raw-binding.ts";

const FIELDS_MAX = 20;
const INDEXES_MAX = 1;
const INDEX_BYTES_MAX = 96;
const BLOBS_BYTES_MAX = 16 * 1024;
const PREFIX = "writeDataPoint(): ";

interface Point {
  readonly index: string | null;
  readonly blobs: readonly (string | null)[];
  readonly doubles: readonly number[];
}

interface Broker {
  write(points: readonly Point[]): Promise<void>;
}

export const analyticsDataset = (raw: RawBinding): unknown =>
  new AnalyticsEngine(raw.stub as unknown as Broker);

class AnalyticsEngine {
  readonly #broker: Broker;
  #pending: Point[] = [];

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  writeDataPoint(event?: Readonly<Record<string, unknown>> | null): void {
    const point = toPoint(event ?? {});
    // Those of one turn go together.
    if (this.#pending.length === 0) waitUntil(Promise.resolve().then(() => this.#flush()));
    this.#pending.push(point);
  }

  async #flush(): Promise<void> {
    const points = this.#pending;
    this.#pending = [];
    try {
      await this.#broker.write(points);
    } catch {
      // As on Cloudflare: no promise that a data point arrives.
    }
  }
}

function toPoint({ indexes, blobs, doubles }: Readonly<Record<string, unknown>>): Point {
  const numbers = list(doubles, "doubles", FIELDS_MAX).map(Number);
  const texts = list(blobs, "blobs", FIELDS_MAX).map(text);
  if (texts.reduce((sum, value) => sum + bytes(value), 0) > BLOBS_BYTES_MAX) {
    throw new TypeError(`${PREFIX}Cumulative size of blobs exceeds ${BLOBS_BYTES_MAX} bytes).`);
  }
  const [index = null] = list(indexes, "indexes", INDEXES_MAX).map(text);
  if (bytes(index) > INDEX_BYTES_MAX) {
    throw new TypeError(`${PREFIX}Size of indexes[0] exceeds ${INDEX_BYTES_MAX} bytes).`);
  }
  return { index, blobs: texts, doubles: numbers };
}

function list(value: unknown, name: string, max: number): readonly unknown[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    throw new TypeError(
      `Incorrect type for the '${name}' field on 'AnalyticsEngineEvent': the provided value is not of type 'Array'.`,
    );
  }
  if (value.length > max) throw new TypeError(`${PREFIX}Maximum of ${max} ${name} supported.`);
  return value as unknown[];
}

function text(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    return new TextDecoder().decode(value);
  }
  return `${value as string}`;
}

const bytes = (value: string | null): number =>
  value === null ? 0 : new TextEncoder().encode(value).byteLength;

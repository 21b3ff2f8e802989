import { fromWire, type WireResult } from "./d1-wire.ts";

type Row = Record<string, unknown>;

/** `D1Result` of the Workers API. */
export interface D1Rows {
  readonly success: true;
  readonly meta: unknown;
  readonly results: Row[];
}

export interface D1ExecResult {
  readonly count: number;
  /** Milliseconds. */
  readonly duration: number;
}

export const toRows = ({ columns, rows, meta }: WireResult): D1Rows => ({
  success: true,
  meta,
  results: rows.map((row) =>
    Object.fromEntries(row.map((cell, index) => [columns[index], fromWire(cell)] as const)),
  ),
});

export const toArrays = ({ rows }: WireResult): unknown[][] =>
  rows.map((row) => row.map((cell) => fromWire(cell)));

/** Each of D1's errors says its sentence twice: with a prefix, and as its cause. */
export const d1Error = (prefix: string, sentence: string): Error =>
  new Error(`${prefix}: ${sentence}`, { cause: new Error(sentence) });

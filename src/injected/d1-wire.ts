/** What goes to the broker and comes back; nothing else knows of it. */
export type WireValue = null | number | string | ArrayBuffer;

export interface WireQuery {
  readonly sql: string;
  readonly params: readonly WireValue[];
}

export interface WireResult {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly WireValue[])[];
  readonly meta: { readonly duration: number };
}

export type WireAnswer =
  | {
      readonly ok: true;
      readonly results: readonly WireResult[];
      readonly bookmark: string | null;
    }
  | { readonly ok: false; readonly error: string };

export interface D1Broker {
  query(request: {
    readonly queries: readonly WireQuery[];
    readonly session: boolean;
  }): Promise<WireAnswer>;
}

/** As D1's own way over JSON has them: no number but a finite one, and bytes as numbers. */
export function toWire(value: unknown): WireValue {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "string") return value;
  return Array.isArray(value) ? Uint8Array.from(value as number[]).buffer : null;
}

export function fromWire(value: WireValue): unknown {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  return value instanceof ArrayBuffer ? Array.from(new Uint8Array(value)) : value;
}

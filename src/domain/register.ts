/**
 * The register's own state and its moves, pure. One value is visible at a time; a change is first an
 * intent, then written to the ledger, then made visible by `flip`, the only moment at which anything
 * changes for a reader. Sequence numbers are never used twice: an aborted intent keeps its own.
 */
export interface Stamped<V> {
  readonly seq: number;
  readonly value: V;
}

export interface Intent<V> extends Stamped<V> {
  /** Unique for each attempt: tells a late ledger write of an earlier instance from this one's. */
  readonly intentId: string;
  /** The change was given up: the ledger is to say so before anything else happens. */
  readonly aborting: boolean;
}

export interface RegisterState<V> {
  /** What every reader gets; null before the first change. */
  readonly visible: Stamped<V> | null;
  readonly pending: Intent<V> | null;
  readonly nextSeq: number;
  /** The ledger says `active` for every change up to this one. */
  readonly settledSeq: number;
}

export const emptyRegister = <V>(): RegisterState<V> => ({
  visible: null,
  pending: null,
  nextSeq: 1,
  settledSeq: 0,
});

export function begin<V>(state: RegisterState<V>, intentId: string, value: V): RegisterState<V> {
  if (state.pending !== null) throw new Error("register: a change is already under way");
  const pending = { seq: state.nextSeq, intentId, value, aborting: false };
  return { ...state, pending, nextSeq: state.nextSeq + 1 };
}

export function flip<V>(state: RegisterState<V>): RegisterState<V> {
  const { pending } = state;
  if (pending === null || pending.aborting) throw new Error("register: nothing to make visible");
  return { ...state, visible: { seq: pending.seq, value: pending.value }, pending: null };
}

/** Decide to give the pending change up. Only before `flip`; from here on it can never become visible. */
export function abandon<V>(state: RegisterState<V>): RegisterState<V> {
  if (state.pending === null) return state;
  return { ...state, pending: { ...state.pending, aborting: true } };
}

/**
 * The ledger says `aborted`: the register is free again. With `restamp`, what is visible takes over the aborted
 * number, for a ledger whose one row has moved on to it.
 */
export function discard<V>(state: RegisterState<V>, restamp = false): RegisterState<V> {
  const { visible, pending } = state;
  if (!restamp || visible === null || pending === null) return { ...state, pending: null };
  return {
    ...state,
    visible: { ...visible, seq: pending.seq },
    pending: null,
    settledSeq: pending.seq,
  };
}

export function settle<V>(state: RegisterState<V>, seq: number): RegisterState<V> {
  return { ...state, settledSeq: Math.max(state.settledSeq, seq) };
}

/** True while the ledger still has to hear something: a pending change, or one that is visible but not `active`. */
export const isUnsettled = <V>(state: RegisterState<V>): boolean =>
  state.pending !== null || (state.visible !== null && state.settledSeq < state.visible.seq);

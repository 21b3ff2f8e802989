/** What both Workers and the harness have to agree on. */
export const ACCOUNT_ID = "0".repeat(32);
export const WORKERS_DOMAIN = "localhost";
export const ALPHA = "a".repeat(32);
export const BETA = "b".repeat(32);
/** The host that moves from one Worker to the other with each change of the route table. */
export const MOVING_HOST = "moving.example";

/** A host that change `n` of the route table adds, so that a reader can tell which change it sees. */
export const markerHost = (n: number): string => `c${n}.marks.example`;
export const markerOf = (host: string): number | null => {
  const found = /^c(\d+)\.marks\.example$/.exec(host);
  return found === null ? null : Number(found[1]);
};
/** Who owns the moving host after change `n`. */
export const ownerAfter = (n: number): string => (n % 2 === 0 ? ALPHA : BETA);

/** What a gateway answers to a read. */
export interface ReadAnswer {
  /** The owner of the host that was asked for; null: it had none. */
  readonly owner: string | null;
  /** The newest change of the route table that the table shows. */
  readonly change: number;
  /** Sequence number of the owner's current deployment; 0: none. */
  readonly seq: number;
  readonly via: string;
}

/** How a gateway's network is: chances from 0 to 1, delays in milliseconds. */
export interface NetworkFaults {
  /** No question reaches a lock. */
  readonly cut: boolean;
  readonly requestLoss: number;
  readonly replyLoss: number;
  /** Before and after each call, up to this long. */
  readonly delayMs: number;
}
export const NO_FAULTS: NetworkFaults = { cut: false, requestLoss: 0, replyLoss: 0, delayMs: 0 };

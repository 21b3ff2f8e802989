import type * as lease from "../../src/domain/lease.ts";
import type * as register from "../../src/domain/register.ts";

/** The code under test. The model takes it as a parameter, so that a mutant of it can be walked too. */
export interface Core {
  readonly lease: typeof lease;
  readonly register: typeof register;
}

/** Bugs that would live in the code around the core. */
export interface Faults {
  /** The holder counts its lease from when the answer came. */
  readonly leaseFromReceipt?: boolean;
  /** The holder keeps what it has when its clock is set back. */
  readonly leaseSurvivesStep?: boolean;
  /** The lock acknowledges a change that is only an intent. */
  readonly ackEarly?: boolean;
  /** The lock does not wait for the row before it makes the change visible. */
  readonly rowLate?: boolean;
  /** The row becomes `active` before the change is visible. */
  readonly activeEarly?: boolean;
  /** A change is given up without a tombstone in the ledger. */
  readonly noTombstone?: boolean;
  /** The instance writes down its current terms, not what its record says. */
  readonly recordsCurrentTerms?: boolean;
}

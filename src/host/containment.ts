/**
 * Joins what happens to gateway processes with what domain/containment makes of it: who is placed where, who is
 * suspected, which version is stopped.
 */
import { Admission, type Announcement } from "../domain/containment/admission.ts";
import type { Placement } from "../domain/containment/placement.ts";
import { Strikes, type Trip } from "../domain/containment/strikes.ts";
import type { StopReason } from "../domain/breaker.ts";
import type { VersionId, WorkerId } from "../domain/ids.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import type { Announcement as Announced } from "./announcements.ts";

export interface ContainmentParts {
  readonly placement: Placement;
  /** These groups of suspects need a process each. */
  readonly onGroups: (groups: ReadonlySet<number>) => void;
  /** This version is not to be run any more. */
  readonly onTrip: (trip: Trip) => void;
  /** It has to be known soon whether this process still turns. */
  readonly onProofNeeded: (gateway: GatewayProcess) => void;
  /** Something may be placed now that could not be before. */
  readonly onChange: () => void;
  readonly now: () => number;
}

/** The dispatches of one gateway that announces them. */
interface Announcing {
  readonly gateway: GatewayProcess;
  readonly admission: Admission;
  /** Those that wait for their turn. */
  readonly waiting: Map<string, () => void>;
  /** When the last one that was admitted was told so. */
  toldAt: number;
}

export class Containment {
  readonly #parts: ContainmentParts;
  readonly #strikes = new Strikes();
  readonly #announcing = new Map<string, Announcing>();
  #announcements = 0;

  constructor(parts: ContainmentParts) {
    this.#parts = parts;
  }

  up(gateway: GatewayProcess, group: number | null): void {
    const { placement, onChange } = this.#parts;
    const { name } = gateway;
    if (gateway.announces) {
      const admission = new Admission();
      this.#announcing.set(name, { gateway, admission, waiting: new Map(), toldAt: 0 });
    }
    if (gateway.kind === "pool") placement.upInPool(name);
    if (gateway.kind === "quarantine" && group !== null) placement.upInQuarantine(name, group);
    onChange();
  }

  draining({ name }: GatewayProcess): void {
    this.#parts.placement.draining(name);
  }

  stalled({ name }: GatewayProcess, isStalled: boolean): void {
    this.#parts.placement.stalled(name, isStalled);
    if (!isStalled) this.#parts.onChange();
  }

  /** A probe that was sent at `sentAt` has been answered. */
  alive({ name }: GatewayProcess, sentAt: number): void {
    this.#parts.placement.alive(name, sentAt);
    const announcing = this.#announcing.get(name);
    if (announcing === undefined || !announcing.admission.needsProof) return;
    if (sentAt >= announcing.toldAt) this.#goOn(announcing, announcing.admission.proven());
    if (announcing.admission.needsProof) this.#parts.onProofNeeded(announcing.gateway);
  }

  /** It has ended; `cause`: nobody wanted it to. */
  gone({ name }: GatewayProcess, cause: StopReason | null): void {
    const { placement, now, onTrip, onGroups, onChange } = this.#parts;
    const announcing = this.#announcing.get(name);
    this.#announcing.delete(name);
    for (const refuse of announcing?.waiting.values() ?? []) refuse();
    if (cause === null) {
      placement.gone(name);
    } else {
      const blames = announcing?.admission.blame(cause, now()) ?? [];
      const groups = placement.lost(name, now());
      for (const trip of this.#strikes.lost(blames, cause, now())) onTrip(trip);
      onGroups(new Set(groups.map(({ group }) => group)));
    }
    onChange();
  }

  /** A gateway of the pool has filled its memory too soon. */
  swollen({ name }: GatewayProcess): void {
    const { placement, now, onGroups } = this.#parts;
    onGroups(new Set(placement.swollen(name, now()).map(({ group }) => group)));
  }

  /** Call about once a second. */
  tick(): void {
    const groups = this.#parts.placement.tick(this.#parts.now());
    this.#parts.onGroups(new Set(groups.map(({ group }) => group)));
    this.#parts.onChange();
  }

  /** Resolves when it may run, with what ends it; with null if its process is not known. */
  async admit({ gateway, workerId, versionId }: Announced): Promise<(() => void) | null> {
    const announcing = this.#announcing.get(gateway);
    if (announcing === undefined) return null;
    const announcement: Announcement = {
      id: String((this.#announcements += 1)),
      workerId: workerId as WorkerId,
      versionId: versionId as VersionId,
    };
    if (announcing.admission.announce(announcement) === "queued") {
      await new Promise<void>((done) => announcing.waiting.set(announcement.id, done));
      announcing.waiting.delete(announcement.id);
      if (!this.#announcing.has(gateway)) return null;
    }
    // Told when this function's caller has written its answer, which it does before anything else happens.
    queueMicrotask(() => {
      announcing.toldAt = this.#parts.now();
      this.#parts.onProofNeeded(announcing.gateway);
    });
    return () => announcing.admission.done(announcement.id, this.#parts.now());
  }

  #goOn({ waiting }: Announcing, next: readonly Announcement[]): void {
    for (const { id } of next) waiting.get(id)?.();
  }
}

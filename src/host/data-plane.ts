/**
 * Everything that keeps what deployed Workers store: two processes with stores, and one for each Worker whose Durable
 * Objects are in use. Like the control process it is one host's at a time, given away to a successor whole.
 */
import { rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { DOOR_BINDINGS, type DoorName } from "../domain/doors.ts";
import { askSocket } from "./ask-socket.ts";
import type { GatewayProcess } from "./gateway-process.ts";
import { listenForObjects, type ObjectsDirectory } from "./objects/objects-directory.ts";
import { ObjectProcesses, type ObjectProcessesParts } from "./objects/object-processes.ts";
import { StoreProcess, type StoreProcessParts } from "./store-process.ts";
import { type DataSockets, dataSockets, storeSockets } from "./store-options.ts";

export interface DataPlaneParts {
  readonly runDirectory: string;
  /** The host's. */
  readonly storage: string;
  readonly script: string;
  readonly eventsSocket: string;
  /** Durable Object processes at once. */
  readonly slots: number;
  readonly stores: Pick<StoreProcessParts, "guard" | "log" | "onGivenUp">;
  readonly objects: Pick<ObjectProcessesParts, "processParts" | "memoryBytesMax">;
}

/** Where a successor's answer is waited for, in milliseconds: it may have to start the process. */
const SUCCESSOR_ASK_MS_MAX = 20_000;

export class DataPlane {
  readonly #sockets: DataSockets;
  readonly #stores: readonly StoreProcess[];
  readonly #objects: ObjectProcesses;
  #directory: ObjectsDirectory | undefined;
  /** Given away: who has the objects now, as soon as that is known. */
  #away: PromiseWithResolvers<DataSockets | null> | null = null;

  constructor(parts: DataPlaneParts) {
    const { runDirectory, storage, script, eventsSocket } = parts;
    const { guard, log } = parts.stores;
    this.#sockets = dataSockets(runDirectory, parts.slots);
    const input = { script, storage, sockets: this.#sockets.stores, eventsSocket };
    this.#stores = (["data", "sql"] as const).map(
      (kind) => new StoreProcess({ ...parts.stores, input: { ...input, kind } }),
    );
    this.#objects = new ObjectProcesses({
      ...parts.objects,
      sockets: this.#sockets.slots,
      storage: join(storage, "objects"),
      onSpawn: guard.add,
      onExit: guard.remove,
      log,
    });
  }

  get stores(): readonly StoreProcess[] {
    return this.#stores;
  }

  get objects(): readonly GatewayProcess[] {
    return this.#objects.alive;
  }

  /** `predecessorApi`: a socket in the run directory of the host whose gateways are still to be answered. */
  async start(predecessorApi: string | undefined): Promise<void> {
    this.#directory = await listenForObjects(this.#sockets.directory, (id) => this.#slotOf(id));
    await this.#begin();
    if (predecessorApi !== undefined) this.#answerFor(dirname(predecessorApi));
  }

  /** Ends all processes, in order; those who ask for objects wait until it is known who has them. */
  async yield(drainMs: number): Promise<void> {
    this.#away = Promise.withResolvers();
    await this.#endProcesses(drainMs);
  }

  /** Takes everything back. */
  async resume(): Promise<void> {
    if (this.#away === null) return;
    await this.#begin();
    this.#away.resolve(null);
    this.#away = null;
  }

  /** `controlApi`: a socket in the run directory of the host that has everything now. */
  retire(controlApi: string): void {
    this.#away?.resolve(dataSockets(dirname(controlApi), this.#sockets.slots.length));
  }

  async stop(drainMs: number): Promise<void> {
    this.#away?.resolve(null);
    await this.#endProcesses(drainMs);
    await this.#directory?.close();
  }

  async #begin(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.start()));
    this.#objects.start();
  }

  async #endProcesses(drainMs: number): Promise<void> {
    await Promise.all([this.#objects.stop(), ...this.#stores.map((store) => store.stop(drainMs))]);
  }

  async #slotOf(workerId: string): Promise<number | null> {
    if (this.#away === null) return this.#objects.slotOf(workerId);
    const successor = await this.#away.promise;
    if (successor === null) return this.#objects.slotOf(workerId);
    const answer = await askSocket({
      socketPath: successor.directory,
      method: "GET",
      path: `/${workerId}`,
      headers: { host: "objects" },
      agent: false,
      timeoutMs: SUCCESSOR_ASK_MS_MAX,
    });
    const slot = answer?.status === 200 ? Number(answer.text) : -1;
    const [own, other] = [this.#sockets.slots[slot], successor.slots[slot]];
    if (own === undefined || other === undefined) return null;
    lead(own, other);
    return slot;
  }

  /** The predecessor's gateways serve their last requests with what is stored here. */
  #answerFor(predecessor: string): void {
    const theirs = storeSockets(predecessor).doors;
    const { doors } = this.#sockets.stores;
    for (const door of Object.keys(DOOR_BINDINGS) as DoorName[]) lead(theirs[door], doors[door]);
  }
}

function lead(path: string, to: string): void {
  rmSync(path, { force: true });
  symlinkSync(to, path);
}

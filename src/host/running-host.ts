/** A host's processes, and what joins them: who learns of what happens to whom. */
import { Placement } from "../domain/containment/placement.ts";
import type { Trip } from "../domain/containment/strikes.ts";
import {
  EVICT_ASK_MS_MAX,
  IDLE_EVICTION_MS,
  METRICS_INTERVAL_MS,
  TICK_MS,
} from "../domain/limits.ts";
import { type Announcements, listenForAnnouncements } from "./announcements.ts";
import { Containment } from "./containment.ts";
import { ControlProcess } from "./control-process.ts";
import { openDataDirectory, type DataDirectory } from "./data-directory.ts";
import { DataPlane } from "./data-plane.ts";
import { type Events, listenForEvents } from "./events.ts";
import { FRONT_LIMITS } from "./front/front-limits.ts";
import { Front } from "./front/front.ts";
import { Gateways } from "./gateways.ts";
import type { HandoverHost, Listener } from "./handover.ts";
import { openInstallation, type OpenedInstallation } from "./installation.ts";
import { finishKeyChange } from "./key-change.ts";
import type { Log } from "./log.ts";
import { announcementSocket, gatewayParts } from "./gateway-parts.ts";
import { HostCounters } from "./metrics/host-counters.ts";
import { Metrics } from "./metrics/metrics.ts";
import { killOrphans, type OrphanGuard } from "./orphan-guard.ts";
import { ownRoutes } from "./own-routes.ts";
import type { RunDirectory } from "./run-directory.ts";
import { controlHosts, controlSockets, publicUrl } from "./runtime-options.ts";
import { Sentence } from "./sentence.ts";
import type { Settings } from "./settings.ts";
import { stopVersion } from "./stop-version.ts";
import { answerGatewaysOf } from "./succession.ts";
import { dataSockets } from "./store-options.ts";
import { HEALTH_POLICY, type HealthPolicy } from "./supervisor.ts";
import { CONTROL_NAME, Traffic } from "./traffic.ts";
import { Watchdog } from "./watchdog.ts";

/** What a running host needs of whoever starts it. */
export interface RunParts {
  readonly log: Log;
  /** Where to accept. */
  readonly listener: Listener;
  /** The `controlApi` of the running host that this one succeeds. */
  readonly predecessorApi?: string | undefined;
  /** The process that an operator would signal. */
  readonly hostPid: number;
  /** Called if the control process is lost for good; the host is of no use then. */
  readonly onGivenUp?: () => void;
  readonly health?: HealthPolicy;
}

export interface Host extends HandoverHost {
  /** Where clients reach the API, e.g. `http://localhost:8787`. */
  readonly url: string;
  readonly port: number;
  readonly accountId: string;
  readonly dataDirectory: string;
  /** Made at this start and stored nowhere; undefined if the token is the stored or the preset one. */
  readonly newRootToken: string | undefined;
  /** Process id of the control process; another one after each restart. */
  pid(): number | undefined;
  /** Replaces every gateway by a new process, one after the other, while the others serve. */
  restartGateways(): Promise<void>;
  /** Drains, ends every process and releases the data directory. May be called again. */
  stop(): Promise<void>;
}

const MIB = 1_048_576;
/** Shares of the memory limit: from which versions are evicted, and from which nobody waits for anything. */
const EVICT_SHARE = 0.6;
const KILL_SHARE = 1.5;
/** Part of the drain time in which clients of a host that has a successor may come back over kept connections. */
const RETIRED_IDLE_SHARE = 0.5;

export interface Built {
  readonly settings: Settings;
  readonly parts: RunParts;
  readonly directory: DataDirectory;
  readonly opened: OpenedInstallation;
  readonly script: string;
  readonly guard: OrphanGuard;
  readonly run: RunDirectory;
}

export class RunningHost implements Host {
  readonly url: string;
  readonly port: number;
  readonly accountId: string;
  readonly dataDirectory: string;
  readonly newRootToken: string | undefined;
  readonly #built: Built;
  readonly #control: ControlProcess;
  readonly #data: DataPlane;
  readonly #placement = new Placement();
  readonly #gateways: Gateways;
  readonly #watchdog: Watchdog;
  readonly #containment: Containment;
  readonly #traffic: Traffic;
  readonly #counters = new HostCounters();
  readonly #metrics: Metrics;
  readonly #front: Front;
  /** Given away to a successor. */
  #yielded = false;
  #directory: DataDirectory;
  #stopped: Promise<void> | undefined;
  #announcements: Announcements | undefined;
  #events: Events | undefined;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #sentence: Sentence;

  constructor(built: Built) {
    const { settings, parts, directory, opened, script, guard, run } = built;
    const { log } = parts;
    const { port } = parts.listener;
    const now = () => performance.now();
    this.#built = built;
    this.#directory = directory;
    this.port = port;
    this.url = publicUrl(settings, port);
    this.accountId = opened.installation.accountId;
    this.dataDirectory = directory.path;
    this.newRootToken = opened.newRootToken;
    const sockets = controlSockets(run.path);
    const { installation } = opened;
    const { storage } = directory;
    const processParts = gatewayParts(settings, run.path, log, this.#counters);
    const onGivenUp = parts.onGivenUp ?? (() => undefined);
    const data = dataSockets(run.path, settings.objectProcesses);
    this.#data = new DataPlane({
      runDirectory: run.path,
      storage,
      script,
      eventsSocket: sockets.events,
      slots: settings.objectProcesses,
      stores: { guard, log, onGivenUp },
      objects: {
        processParts: (name, objects) => processParts(name, "objects", false, objects),
        memoryBytesMax: settings.gatewayMemoryMb * MIB,
      },
    });
    this.#control = new ControlProcess({
      input: { settings, installation, script, storage, port, sockets, data },
      controlHost: controlHosts(settings)[0] ?? "localhost",
      guard,
      health: parts.health ?? HEALTH_POLICY,
      log,
      onChange: (isUp) => this.#controlChanged(isUp),
      onGivenUp,
    });
    const placement = this.#placement;
    this.#gateways = new Gateways({
      processParts: (name, kind) => processParts(name, kind, placement.poolAnnounces(now())),
      onSpawn: guard.add,
      onExit: guard.remove,
      onUp: (gateway, group) => {
        this.#traffic.addGateway(gateway);
        this.#watchdog.add(gateway);
        this.#containment.up(gateway, group);
      },
      onReplaced: (lost) => this.#counters.replaced(lost, now()),
      onDraining: (gateway) => {
        this.#containment.draining(gateway);
        void this.#metrics.collect();
      },
      idle: (gateway, msMax) => this.#traffic.idle(gateway.name, msMax),
      hogs: (gateway, ms) => this.#watchdog.hogs(gateway, ms),
      onGone: (gateway, cause) => {
        if (cause !== null) this.#counters.gatewayLost(gateway, cause, now());
        this.#counters.totals.forget(gateway.name);
        this.#watchdog.remove(gateway);
        this.#containment.gone(gateway, cause);
        this.#traffic.removeGateway(gateway.name);
        this.#front.forget(gateway.name);
      },
      log,
      drainMs: settings.drainMs,
    });
    this.#containment = new Containment({
      placement,
      onGroups: (groups) => this.#gateways.setGroups(groups),
      onTrip: (trip) => this.#trip(trip),
      onProofNeeded: (gateway) => this.#watchdog.hurry(gateway),
      onChange: () => this.#traffic.placeHeld(),
      now,
    });
    const memory = settings.gatewayMemoryMb * MIB;
    this.#watchdog = new Watchdog({
      limits: {
        blockMsMax: settings.blockMsMax,
        evictBytes: memory * EVICT_SHARE,
        replaceBytes: memory,
        killBytes: memory * KILL_SHARE,
      },
      onVerdict: (gateway, verdict) => this.#sentence.carryOut(gateway, verdict),
      onAlive: (gateway, sentAt) => this.#containment.alive(gateway, sentAt),
      now,
    });
    this.#sentence = new Sentence({
      gateways: this.#gateways,
      containment: this.#containment,
      counters: this.#counters,
      silentSince: (gateway) => this.#watchdog.silentSince(gateway),
      log,
      now,
    });
    this.#metrics = new Metrics({
      counters: this.#counters,
      control: this.#control,
      gateways: this.#gateways,
      data: this.#data,
      placement,
      traffic: () => this.#traffic,
      front: () => this.#front,
      launcherPid: parts.hostPid,
    });
    this.#traffic = new Traffic({
      placement,
      controlHosts: new Set(controlHosts(settings)),
      ownRoutes: ownRoutes({
        control: this.#control,
        gateways: this.#gateways,
        metrics: this.#metrics,
        rootTokenSha256: installation.rootTokenSha256,
        log,
        isLeaving: () => this.#yielded || this.#stopped !== undefined,
      }),
      onAnswered: (gateway) => this.#watchdog.heard(gateway),
      now,
      newId: () => crypto.randomUUID(),
    });
    this.#front = new Front({
      switchyard: this.#traffic,
      limits: { ...FRONT_LIMITS, wallMsMax: settings.wallMsMax },
      now,
      newId: () => crypto.randomUUID(),
      log,
    });
  }

  get controlApi(): string {
    return this.#control.sockets.api;
  }

  pid(): number | undefined {
    return this.#control.pid;
  }

  /** Leaves nothing running if it rejects. */
  async start(): Promise<void> {
    const { settings, parts, run } = this.#built;
    try {
      this.#announcements = await listenForAnnouncements(announcementSocket(run.path), {
        admit: (announcement) => this.#containment.admit(announcement),
      });
      this.#events = await listenForEvents(controlSockets(run.path).events, {
        switchyard: this.#traffic,
        internalSocketOf: (name) =>
          [...this.#gateways.alive].find((gateway) => gateway.name === name)?.internalSocketPath,
        now: () => performance.now(),
      });
      const pool = Array.from({ length: settings.gateways }, () => this.#gateways.open("pool"));
      await Promise.all([
        this.#control.start(),
        this.#data.start(parts.predecessorApi),
        this.#gateways.open("trial"),
        ...pool,
      ]);
      this.#watchdog.start();
      if (parts.predecessorApi) answerGatewaysOf(parts.predecessorApi, this.#control.sockets);
      await this.#front.listen(parts.listener.fd);
    } catch (error) {
      await this.#end(0);
      throw error;
    }
    this.#finishKeyChange();
    this.#timers.push(
      setInterval(() => this.#tick(), TICK_MS),
      setInterval(() => this.#evictIdle(), IDLE_EVICTION_MS),
      setInterval(() => void this.#metrics.collect(), METRICS_INTERVAL_MS),
    );
  }

  #finishKeyChange(): void {
    void finishKeyChange({
      secretsKey: this.#control.installation.secretsKey,
      dataDirectory: this.dataDirectory,
      control: this.#control,
      isOver: () => this.#yielded || this.#stopped !== undefined,
      log: this.#built.parts.log,
    });
  }

  async restartGateways(): Promise<void> {
    await this.#gateways.replaceAll();
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#drain());
  }

  async yieldControl(): Promise<void> {
    this.#yielded = true;
    // workerd's own draining would wait for the gateways' questions, which never end.
    this.#traffic.setControl(null);
    await this.#traffic.apiIdle(this.#built.settings.drainMs);
    // Nothing more is acknowledged; without this a gateway might go on with what was current just before.
    await this.#gateways.catchUp();
    await Promise.all([this.#control.stop(0), this.#data.yield(0)]);
    this.#built.guard.leaveFile();
    this.#directory.release();
  }

  async resumeControl(): Promise<void> {
    const { settings, parts, guard } = this.#built;
    if (this.#control.pid === undefined) {
      this.#directory = openDataDirectory(settings.dataDirectory, parts.hostPid);
      // A successor that was killed while it started may have left its processes to die.
      await killOrphans(this.#directory.runtimePidFile);
      guard.takeFile();
      // The successor may have come with a new key, and have stored secrets under it.
      this.#control.installation = openInstallation(this.#directory, settings).installation;
      await Promise.all([this.#control.start(), this.#data.resume()]);
    }
    this.#yielded = false;
    this.#finishKeyChange();
  }

  async retire(controlApi: string): Promise<void> {
    this.#traffic.setControl({ name: `${CONTROL_NAME}-successor`, socketPath: controlApi });
    this.#data.retire(controlApi);
    this.#stopped ??= this.#drain(this.#built.settings.drainMs * RETIRED_IDLE_SHARE);
    await this.#stopped;
  }

  async #drain(idleMs?: number): Promise<void> {
    const { drainMs } = this.#built.settings;
    // A kept connection may carry one more request, so gateways serve until the front is done.
    await Promise.all([this.#front.drain(drainMs, idleMs), this.#gateways.closeWebSockets()]);
    await this.#gateways.stop(drainMs);
    await this.#end(drainMs);
  }

  async #end(drainMs: number): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#watchdog.stop();
    this.#metrics.stop();
    await Promise.all([
      this.#gateways.stop(0),
      this.#control.stop(drainMs),
      this.#data.stop(drainMs),
    ]);
    this.#front.closeNow();
    await Promise.all([this.#announcements?.close(), this.#events?.close()]);
    this.#built.guard.release();
    this.#built.run.remove();
    if (!this.#yielded) this.#directory.release();
  }

  #tick(): void {
    this.#placement.spreads = this.#control.state === "ok";
    this.#containment.tick();
  }

  #controlChanged(isUp: boolean): void {
    this.#placement.spreads = isUp;
    const { starts, sockets } = this.#control;
    const name = `${CONTROL_NAME}-${starts}`;
    this.#traffic.setControl(isUp ? { name, socketPath: sockets.api } : null);
  }

  #trip(trip: Trip): void {
    const { log } = this.#built.parts;
    this.#counters.versionStopped(trip.reason);
    void stopVersion(trip, {
      control: this.#control,
      gateways: () => this.#gateways.alive,
      isOver: () => this.#stopped !== undefined,
      log,
    });
  }

  #evictIdle(): void {
    for (const gateway of this.#gateways.alive) {
      void gateway.ask("POST", "/evict?idle=1", EVICT_ASK_MS_MAX);
    }
  }
}

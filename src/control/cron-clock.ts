import { DurableObject } from "cloudflare:workers";
import { eventsDoor, sendEvent } from "../data/events.ts";
import { type CronTimes, parseCron } from "../domain/cron.ts";
import { dueFirings, type Firing, isTooLate, nextLook, type Schedule } from "../domain/cron-due.ts";
import type { EventResult } from "../domain/event.ts";
import type { WorkerId } from "../domain/ids.ts";
import { CRON_EARLY_MS_MAX, CRON_RETRY_MS } from "../domain/limits-cron.ts";
import { logEvent } from "../observability/log.ts";
import { openDatabase } from "../store/database.ts";
import { listAllSchedules } from "../store/schedules.ts";
import { accountIdOf } from "./config.ts";

/** A firing on its way. The id is that of its event, however often it is sent. */
interface Pending extends Firing, Record<string, SqlStorageValue> {
  readonly id: string;
  readonly workerId: WorkerId & string;
  readonly cron: string;
  readonly scheduledTime: number;
}

const LOOKED_AT = "looked_at";
const NEXT_LOOK = "next_look";
const TABLE = `CREATE TABLE IF NOT EXISTS pending (
  id TEXT PRIMARY KEY, worker_id TEXT NOT NULL, cron TEXT NOT NULL, scheduled_time INTEGER NOT NULL,
  UNIQUE (worker_id, cron, scheduled_time)) STRICT`;

/**
 * Fires the account's schedules. It keeps none itself: each time it looks, the history says which are current. It
 * remembers up to when it has looked, so that a firing is neither lost nor repeated over a restart, and the firings
 * that nobody has run yet.
 */
export class CronClock extends DurableObject<Env> {
  readonly #times = new Map<string, CronTimes | null>();
  /** Firings whose event this instance has sent and has no answer to. */
  readonly #underWay = new Set<string>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec(TABLE);
  }

  /**
   * The schedules are about to change, or have changed. Called before the change as well, so that the clock looks even
   * if whoever makes the change never comes back.
   */
  async wake(): Promise<void> {
    const now = Date.now();
    const { kv } = this.ctx.storage;
    if (kv.get(LOOKED_AT) === undefined) kv.put(LOOKED_AT, now);
    const minute = (Math.floor(now / 60_000) + 1) * 60_000;
    const next = await this.ctx.storage.getAlarm();
    if (next === null || next > minute) await this.#look(minute);
  }

  override async alarm(): Promise<void> {
    const { kv } = this.ctx.storage;
    const planned = kv.get<number>(NEXT_LOOK) ?? 0;
    const clock = Date.now();
    // A little early is on time.
    const now = planned > clock && planned - clock <= CRON_EARLY_MS_MAX ? planned : clock;
    let schedules: readonly Schedule[];
    try {
      schedules = await listAllSchedules(openDatabase(this.env.DB), accountIdOf(this.env));
    } catch (error) {
      logEvent("warn", "schedules_unreadable", { error: String(error) });
      return this.#look(now + CRON_RETRY_MS);
    }
    const timesOf = (cron: string) => this.#timesOf(cron);
    const lookedAt = kv.get<number>(LOOKED_AT) ?? now;
    const due = dueFirings(schedules, timesOf, lookedAt, now);
    this.ctx.storage.transactionSync(() => {
      for (const { workerId, cron, scheduledTime } of due) {
        this.ctx.storage.sql.exec(
          "INSERT INTO pending VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
          crypto.randomUUID(),
          workerId,
          cron,
          scheduledTime,
        );
      }
      kv.put(LOOKED_AT, Math.max(lookedAt, now));
    });
    const waiting = this.#pending(schedules, now);
    const next = nextLook(schedules, timesOf, now) ?? Infinity;
    const at = Math.min(next, waiting.length > 0 ? now + CRON_RETRY_MS : Infinity);
    if (at !== Infinity) await this.#look(at);
    for (const firing of waiting) {
      if (this.#underWay.has(firing.id)) continue;
      this.#underWay.add(firing.id);
      this.ctx.waitUntil(this.#fire(firing));
    }
  }

  async #look(at: number): Promise<void> {
    this.ctx.storage.kv.put(NEXT_LOOK, at);
    await this.ctx.storage.setAlarm(at);
  }

  /** What is still to be run; the rest is forgotten: schedules that are gone, and what is too late. */
  #pending(schedules: readonly Schedule[], now: number): readonly Pending[] {
    const current = new Set(schedules.map(({ workerId, cron }) => `${workerId} ${cron}`));
    const all = this.ctx.storage.sql
      .exec<Pending>(
        "SELECT id, worker_id AS workerId, cron, scheduled_time AS scheduledTime FROM pending",
      )
      .toArray();
    return all.filter((firing) => {
      const { id, workerId, cron } = firing;
      if (this.#underWay.has(id)) return true;
      const isCurrent = current.has(`${workerId} ${cron}`);
      if (isCurrent && !isTooLate(firing, now)) return true;
      this.#over(id);
      if (isCurrent)
        tell(firing, { outcome: "unavailable", detail: "it is too late for it by now" });
      return false;
    });
  }

  async #fire(firing: Pending): Promise<void> {
    const { id, workerId, cron, scheduledTime } = firing;
    const event = { type: "scheduled", cron, scheduledTime } as const;
    const result = await sendEvent(eventsDoor(this.env, this.ctx), { id, workerId, event });
    this.#underWay.delete(id);
    // Nothing has run, and something may the next time.
    if (result.outcome === "unavailable") return;
    this.#over(id);
    tell(firing, result);
  }

  #over(id: string): void {
    this.ctx.storage.sql.exec("DELETE FROM pending WHERE id = ?", id);
  }

  #timesOf(cron: string): CronTimes | null {
    let times = this.#times.get(cron);
    if (times === undefined) {
      const parsed = parseCron(cron);
      this.#times.set(cron, (times = parsed.ok ? parsed.value : null));
    }
    return times;
  }
}

function tell({ workerId, cron, scheduledTime }: Firing, result: EventResult): void {
  const { outcome, detail, versionId } = result;
  const fields = { worker: workerId, cron, scheduledTime, outcome, detail, version: versionId };
  if (outcome === "ok") logEvent("info", "schedule_fired", fields);
  else logEvent("warn", "schedule_fired", fields);
}

import { DurableObject } from "cloudflare:workers";
import { isNotBegun } from "../../domain/event.ts";
import {
  BATCH_LEASE_MS,
  BATCH_RENEWAL_MS,
  QUEUE_SEND_MESSAGES_MAX,
  QUEUE_SWEEP_MESSAGES_MAX,
} from "../../domain/limits-queue.ts";
import { decideDelivery, FAILED, pauseMs, settle, type Verdict } from "../../domain/queue.ts";
import type { OutgoingMessage, QueueMetrics, SendRefusal } from "../../domain/queue-message.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import { logEvent, type LogFields } from "../../observability/log.ts";
import { logSampled } from "../../observability/log-sampler.ts";
import { eventsDoor, sendEvent } from "../events.ts";
import type { QueueConfig, QueueConsumer } from "./queue-config.ts";
import { type DeadMessage, type IncomingMessage, QueueMessages } from "./queue-messages.ts";

export interface Batch {
  readonly queue: string;
  readonly messages: readonly IncomingMessage[];
  readonly metrics: QueueMetrics;
}

const CONFIG = "config";

/** `full`: later, perhaps. */
type TakenDead = "taken" | "full" | "no queue";

interface DeadLetters {
  takeDead(dead: readonly DeadMessage[]): Promise<TakenDead>;
}

/**
 * One queue. A message is delivered at least once: it leaves with its consumer's word, or when it was delivered often
 * enough. Batches under way are leased: whoever sent one renews its lease, and one that lapses is delivered again. All
 * that has to be known later is stored; an alarm drives what nobody asks for.
 */
export class QueueObject extends DurableObject<Env> {
  #messages: QueueMessages;
  #config: QueueConfig | null;
  /** Batches whose event this instance has sent and has no answer to. */
  readonly #underWay = new Set<string>();
  /** Events in a row that could not begin, and until when none is tried. */
  #failures = 0;
  #pausedUntil = 0;
  #isBurying = false;
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#messages = new QueueMessages(ctx.storage);
    this.#config = ctx.storage.kv.get<QueueConfig>(CONFIG) ?? null;
  }

  /** The queue is to be like this from now on. */
  configure(config: QueueConfig): void {
    this.ctx.storage.kv.put(CONFIG, config);
    this.#config = config;
    this.#failures = 0;
    this.#pausedUntil = 0;
    this.#drive();
  }

  /** Takes messages in; doing it again with the same ids changes nothing. */
  send(
    messages: readonly { readonly id: string; readonly message: OutgoingMessage }[],
    delaySeconds: number | null,
  ): Result<QueueMetrics, SendRefusal> {
    const config = this.#config;
    if (config === null) return err("Not Found");
    const bytes = messages.reduce((sum, { message }) => sum + message.bytes, 0);
    if (!this.#messages.hasRoomFor(messages.length, bytes)) return err("Insufficient Storage");
    const now = Date.now();
    const { deliveryDelay, messageRetentionPeriod } = config.settings;
    const seconds = (message: OutgoingMessage) =>
      message.delaySeconds ?? delaySeconds ?? deliveryDelay;
    try {
      this.#messages.add(
        messages.map((item) => ({ ...item, timestamp: now })),
        (message) => seconds(message) * 1_000,
        now,
        messageRetentionPeriod * 1_000,
      );
    } catch (error) {
      if (error instanceof Error && error.name === "DataCloneError") return err("Bad Request");
      throw error;
    }
    this.#drive();
    return ok(this.#messages.metrics());
  }

  /** Messages of another queue that could not be delivered. */
  takeDead(dead: readonly DeadMessage[]): TakenDead {
    if (this.#config === null) return "no queue";
    const bytes = dead.reduce((sum, { message }) => sum + message.bytes, 0);
    if (!this.#messages.hasRoomFor(dead.length, bytes)) return "full";
    const { deliveryDelay, messageRetentionPeriod } = this.#config.settings;
    const delayMs = deliveryDelay * 1_000;
    this.#messages.add(dead, () => delayMs, Date.now(), messageRetentionPeriod * 1_000);
    this.#drive();
    return "taken";
  }

  metrics(): Result<QueueMetrics, SendRefusal> {
    return this.#config === null ? err("Not Found") : ok(this.#messages.metrics());
  }

  /** For the gateway that runs the consumer, once. null: the batch is somebody else's by now, or over. */
  takeBatch(batchId: string): Batch | null {
    if (this.#config === null) return null;
    const messages = this.#messages.take(batchId, Date.now() + BATCH_LEASE_MS);
    if (messages === null) return null;
    return { queue: this.#config.name, messages, metrics: this.#messages.metrics() };
  }

  /** The consumer's word. False: the batch was somebody else's by then. */
  settleBatch(batchId: string, verdict: Verdict): boolean {
    if (this.#messages.isTaken(batchId) !== true) return false;
    this.#failures = 0;
    this.#settle(batchId, verdict);
    this.#drive();
    return true;
  }

  /** Drops every message. What a consumer is busy with is not given to another. */
  async purge(): Promise<void> {
    await this.#empty(this.#config);
  }

  /** The queue is deleted. */
  async destroy(): Promise<void> {
    await this.#empty(null);
  }

  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    const now = Date.now();
    this.#messages.renew([...this.#underWay], now + BATCH_LEASE_MS);
    const { lapsed } = this.#messages.batches(now);
    for (const batchId of lapsed) {
      const isTaken = this.#messages.isTaken(batchId);
      if (isTaken === true) this.#settle(batchId, FAILED);
      else this.#messages.release(batchId);
    }
    const expired = this.#messages.expire(now, QUEUE_SWEEP_MESSAGES_MAX);
    if (expired > 0)
      logEvent("warn", "queue_messages_expired", { queue: this.#name, messages: expired });
    this.#drive();
  }

  async #empty(config: QueueConfig | null): Promise<void> {
    const { storage } = this.ctx;
    this.#config = config;
    // Nobody may meet the moment without tables.
    await this.ctx.blockConcurrencyWhile(async () => {
      await storage.deleteAlarm();
      await storage.deleteAll();
      this.#messages = new QueueMessages(storage);
      if (config !== null) storage.kv.put(CONFIG, config);
    });
    this.#underWay.clear();
    this.#alarmAt = null;
  }

  /** Delivers all that can be delivered now, and sees to it that the next that is due is not forgotten. */
  #drive(): void {
    const now = Date.now();
    let due = this.#messages.nextExpiry() ?? Infinity;
    due = Math.min(due, this.#deliver(now));
    if (this.#messages.batches(now).count > 0) due = Math.min(due, now + BATCH_RENEWAL_MS);
    this.ctx.waitUntil(this.#bury());
    if (this.#messages.dead(1).length > 0) due = Math.min(due, now + BATCH_RENEWAL_MS);
    if (due === Infinity || (this.#alarmAt !== null && this.#alarmAt <= due)) return;
    this.#alarmAt = Math.max(due, now);
    void this.ctx.storage.setAlarm(this.#alarmAt);
  }

  /** When the next delivery is due, in milliseconds since 1970. */
  #deliver(now: number): number {
    const { settings, consumer = null } = this.#config ?? {};
    if (consumer === null || settings?.deliveryPaused === true) return Infinity;
    if (this.#pausedUntil > now) return this.#pausedUntil;
    for (;;) {
      const waiting = this.#messages.waiting(consumer.settings.batchSize + 1);
      const underWay = this.#messages.batches(now).count;
      const delivery = decideDelivery(waiting, consumer.settings, underWay, now);
      if (delivery.kind === "idle") return Infinity;
      if (delivery.kind === "wait") return delivery.until;
      const batchId = crypto.randomUUID();
      this.#messages.begin(batchId, delivery.ids, now + BATCH_LEASE_MS);
      this.#underWay.add(batchId);
      this.ctx.waitUntil(this.#dispatch(batchId, consumer));
    }
  }

  async #dispatch(batchId: string, { workerId }: QueueConsumer): Promise<void> {
    const queueId = this.#config?.id ?? "";
    const result = await sendEvent(eventsDoor(this.env, this.ctx), {
      id: batchId,
      workerId,
      event: { type: "queue", queueId, batchId },
    });
    this.#underWay.delete(batchId);
    const isTaken = this.#messages.isTaken(batchId);
    // Almost always: its consumer has had its say.
    if (isTaken === null) return;
    if (!isTaken) {
      this.#messages.release(batchId);
      this.#pause({ workerId, outcome: result.outcome, detail: result.detail });
    } else if (!isNotBegun(result.outcome)) {
      this.#settle(batchId, FAILED);
    }
    // Taken, and nobody knows how it goes on: its lease lapses if it does not.
    this.#drive();
  }

  /** Several batches that could not begin at a time are one failure. */
  #pause(why: LogFields): void {
    const now = Date.now();
    if (this.#pausedUntil > now) return;
    this.#failures++;
    this.#pausedUntil = now + pauseMs(this.#failures);
    if (this.#failures === 1) {
      logEvent("warn", "queue_not_delivered", { queue: this.#name, ...why });
    }
  }

  #settle(batchId: string, verdict: Verdict): void {
    const delivered = this.#messages.delivered(batchId);
    const consumer = this.#config?.consumer ?? null;
    const terms = consumer?.settings ?? { maxRetries: Infinity, retryDelaySeconds: 0 };
    const settlements = settle(delivered, verdict, terms, Date.now());
    const isDropped = (consumer?.deadLetterQueueId ?? null) === null;
    this.#messages.end(batchId, settlements, isDropped);
    const dead = settlements.filter(({ act }) => act === "bury").length;
    if (dead > 0 && isDropped) this.#logDropped(dead);
  }

  /** Deployed code decides how often. */
  #logDropped(messages: number): void {
    logSampled("warn", "queue_messages_dropped", this.#name ?? "", { queue: this.#name, messages });
  }

  /** Moves dead messages to the queue that is for them. What fails is tried again by the alarm. */
  async #bury(): Promise<void> {
    const target = this.#config?.consumer?.deadLetterQueueId ?? null;
    if (this.#isBurying) return;
    this.#isBurying = true;
    try {
      for (;;) {
        const dead = this.#messages.dead(QUEUE_SEND_MESSAGES_MAX);
        if (dead.length === 0) return;
        const taken = target === null ? "no queue" : await this.#other(target).takeDead(dead);
        // They count as this queue's own meanwhile, so it fills up too.
        if (taken === "full") return;
        if (taken === "no queue") this.#logDropped(dead.length);
        this.#messages.remove(dead.map(({ id }) => id));
      }
    } catch (error) {
      logEvent("warn", "queue_messages_not_buried", { queue: this.#name, error: String(error) });
    } finally {
      this.#isBurying = false;
    }
  }

  #other(queueId: string): DeadLetters {
    return this.env.QUEUES.getByName(queueId) as unknown as DeadLetters;
  }

  get #name(): string | undefined {
    return this.#config?.name;
  }
}

/** What a handler of `scheduled` gets. */

export interface PlainSchedule {
  /** Milliseconds since 1970. */
  readonly scheduledTime: number;
  readonly cron: string;
}

class ScheduledController {
  readonly scheduledTime: number;
  readonly cron: string;

  constructor({ scheduledTime, cron }: PlainSchedule) {
    this.scheduledTime = scheduledTime;
    this.cron = cron;
  }

  /** Events that failed are not sent again anyway. */
  noRetry(): void {}
}

class ScheduledEvent extends Event {
  readonly scheduledTime: number;
  readonly cron: string;
  readonly #waitUntil: (work: unknown) => void;

  constructor({ scheduledTime, cron }: PlainSchedule, waitUntil: (work: unknown) => void) {
    super("scheduled");
    this.scheduledTime = scheduledTime;
    this.cron = cron;
    this.#waitUntil = waitUntil;
  }

  waitUntil(work: unknown): void {
    this.#waitUntil(work);
  }

  noRetry(): void {}
}

export const scheduledController = (schedule: PlainSchedule): unknown =>
  new ScheduledController(schedule);

export const scheduledEvent = (
  schedule: PlainSchedule,
  waitUntil: (work: unknown) => void,
): unknown => new ScheduledEvent(schedule, waitUntil);

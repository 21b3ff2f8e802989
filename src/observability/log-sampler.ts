import { logEvent, type LogFields, type LogLevel } from "./log.ts";

/** Of what happens again and again, one line in this many milliseconds. */
export const SAMPLE_MS = 10_000;
/** Things that are remembered as said: more at one time, and the oldest are said again. */
export const SAMPLED_KEYS_MAX = 1_000;

interface Said {
  readonly at: number;
  /** How often it has happened since, unsaid. */
  repeated: number;
}

/** For events that a visitor's requests cause: whoever sends more of them fills no log. */
export class LogSampler {
  readonly #said = new Map<string, Said>();
  readonly #now: () => number;

  /** `now`: milliseconds, of any clock that does not go back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** {@link logEvent}, at most once in {@link SAMPLE_MS} for each event and key; `repeated` counts those left out before. */
  log(level: LogLevel, event: string, key: string, fields: LogFields = {}): void {
    const id = `${event} ${key}`;
    const now = this.#now();
    const said = this.#said.get(id);
    if (said !== undefined && now - said.at < SAMPLE_MS) {
      said.repeated += 1;
      return;
    }
    // Said last goes last: the first is the one that was said longest ago.
    this.#said.delete(id);
    this.#said.set(id, { at: now, repeated: 0 });
    for (const oldest of this.#said.keys()) {
      if (this.#said.size <= SAMPLED_KEYS_MAX) break;
      this.#said.delete(oldest);
    }
    logEvent(level, event, said?.repeated ? { ...fields, repeated: said.repeated } : fields);
  }
}

const ofIsolate = new LogSampler(() => Date.now());

export const logSampled = (
  level: LogLevel,
  event: string,
  key: string,
  fields: LogFields = {},
): void => ofIsolate.log(level, event, key, fields);

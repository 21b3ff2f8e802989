/** The alarm of one Durable Object, as pure steps over what is stored of it. Times are milliseconds since 1970. */
import { ALARM_RETRIES_MAX, ALARM_RETRY_MS } from "../../domain/limits-durable.ts";

export interface AlarmState {
  /** What the object has asked for; null: nothing. */
  readonly scheduledTime: number | null;
  /** A firing that has begun and is not over: its handler runs, or has failed and is tried again. */
  readonly firing: {
    readonly scheduledTime: number;
    readonly retryCount: number;
    /** Not before. */
    readonly dueAt: number;
  } | null;
}

export const NO_ALARM: AlarmState = { scheduledTime: null, firing: null };

/** What the handler is told. */
export interface AlarmInfo {
  readonly scheduledTime: number;
  readonly retryCount: number;
  readonly isRetry: boolean;
}

/** When the object has to be woken; null: not for an alarm. */
export const wakeAt = ({ scheduledTime, firing }: AlarmState): number | null =>
  firing?.dueAt ?? scheduledTime;

/** `isRunning`: asked by the handler itself, or while it runs. Then a failure of it is still tried again. */
export const setAlarm = (
  state: AlarmState,
  scheduledTime: number,
  isRunning: boolean,
): AlarmState => ({ scheduledTime, firing: isRunning ? state.firing : null });

/** Null while the handler runs, unless it has asked anew. */
export const getAlarm = (
  { scheduledTime, firing }: AlarmState,
  isRunning: boolean,
): number | null => scheduledTime ?? (isRunning ? null : (firing?.scheduledTime ?? null));

/** The state in which the handler is called at `now`; null: nothing is due. */
export function beginAlarm(state: AlarmState, now: number): AlarmState | null {
  const { scheduledTime, firing } = state;
  // A firing that was cut off by the end of its process is repeated as it was.
  if (firing !== null) return firing.dueAt <= now ? state : null;
  if (scheduledTime === null || scheduledTime > now) return null;
  return { scheduledTime: null, firing: { scheduledTime, retryCount: 0, dueAt: now } };
}

export const alarmInfo = ({ firing }: AlarmState): AlarmInfo => ({
  scheduledTime: firing?.scheduledTime ?? 0,
  retryCount: firing?.retryCount ?? 0,
  isRetry: (firing?.retryCount ?? 0) > 0,
});

export const endAlarm = (state: AlarmState): AlarmState => ({ ...state, firing: null });

/** The handler has thrown. After {@link ALARM_RETRIES_MAX} more tries the firing is given up. */
export function failAlarm(state: AlarmState, now: number): AlarmState {
  const { firing } = state;
  if (firing === null || firing.retryCount >= ALARM_RETRIES_MAX) return endAlarm(state);
  const pauseMs = ALARM_RETRY_MS * 2 ** firing.retryCount;
  return {
    ...state,
    firing: { ...firing, retryCount: firing.retryCount + 1, dueAt: now + pauseMs },
  };
}

/** None of the object's code could be run: that is no try. */
export const postponeAlarm = (state: AlarmState, dueAt: number): AlarmState =>
  state.firing === null ? state : { ...state, firing: { ...state.firing, dueAt } };

import { describe, expect, it } from "vitest";
import { ALARM_RETRIES_MAX, ALARM_RETRY_MS } from "../../../src/domain/limits-durable.ts";
import {
  alarmInfo,
  beginAlarm,
  endAlarm,
  failAlarm,
  getAlarm,
  NO_ALARM,
  postponeAlarm,
  setAlarm,
  wakeAt,
  type AlarmState,
} from "../../../src/gateway/objects/object-alarm.ts";

const set = setAlarm(NO_ALARM, 1_000, false);
const begun = beginAlarm(set, 1_000) as AlarmState;

describe("an object's alarm", () => {
  it("is due at its time and not before, and told with it", () => {
    expect(wakeAt(set)).toBe(1_000);
    expect(beginAlarm(set, 999)).toBeNull();
    expect(alarmInfo(begun)).toEqual({ scheduledTime: 1_000, retryCount: 0, isRetry: false });
    expect(beginAlarm(NO_ALARM, 1_000)).toBeNull();
  });

  it("is none while its handler runs, and none after it", () => {
    expect(getAlarm(set, false)).toBe(1_000);
    expect(getAlarm(begun, true)).toBeNull();
    expect(endAlarm(begun)).toEqual(NO_ALARM);
  });

  it("set by its own handler, comes next, whether the handler succeeds or not", () => {
    const again = setAlarm(begun, 5_000, true);
    expect(getAlarm(again, true)).toBe(5_000);
    expect(wakeAt(endAlarm(again))).toBe(5_000);
    const failed = failAlarm(again, 1_000);
    expect(wakeAt(failed)).toBe(1_000 + ALARM_RETRY_MS);
    expect(endAlarm(failed).scheduledTime).toBe(5_000);
  });

  it("is repeated as it was when its process ends while the handler runs", () => {
    expect(beginAlarm(begun, 2_000)).toEqual(begun);
  });

  it(`is tried ${ALARM_RETRIES_MAX} times more, each pause twice the last, and then given up`, () => {
    let state = begun;
    let now = 1_000;
    for (let retry = 1; retry <= ALARM_RETRIES_MAX; retry++) {
      state = failAlarm(state, now);
      const due = now + ALARM_RETRY_MS * 2 ** (retry - 1);
      expect(wakeAt(state)).toBe(due);
      expect(beginAlarm(state, due - 1)).toBeNull();
      expect(getAlarm(state, false)).toBe(1_000);
      now = due;
      expect(alarmInfo(beginAlarm(state, now) as AlarmState)).toEqual({
        scheduledTime: 1_000,
        retryCount: retry,
        isRetry: true,
      });
    }
    expect(failAlarm(state, now)).toEqual(NO_ALARM);
  });

  it("that waits for code to run it loses no try", () => {
    const waiting = postponeAlarm(begun, 9_000);
    expect(beginAlarm(waiting, 8_999)).toBeNull();
    expect(alarmInfo(waiting)).toEqual(alarmInfo(begun));
  });

  it("set anew between two tries is not tried again for the old time", () => {
    const anew = setAlarm(failAlarm(begun, 1_000), 50_000, false);
    expect(anew).toEqual({ scheduledTime: 50_000, firing: null });
  });
});

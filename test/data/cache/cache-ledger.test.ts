import { describe, expect, it } from "vitest";
import { CacheLedger } from "../../../src/data/cache/cache-ledger.ts";
import {
  CACHE_BYTES_MAX,
  CACHE_WORKER_BYTES_MAX,
  CACHE_WORKER_ENTRIES_MAX,
  CACHE_WORKERS_MAX,
} from "../../../src/domain/limits-cache.ts";

describe("a Worker that keeps too much", () => {
  it("loses its own, what was used longest ago first, at the byte", () => {
    const ledger = new CacheLedger();
    const half = CACHE_WORKER_BYTES_MAX / 2;
    expect(ledger.stored("a", "1", half)).toEqual([]);
    expect(ledger.stored("b", "1", half)).toEqual([]);
    expect(ledger.stored("a", "2", half)).toEqual([]);
    ledger.looked("a", "1", true);
    expect(ledger.stored("a", "3", 1)).toEqual([{ workerId: "a", key: "2" }]);
  });

  it("loses the oldest when they are too many", () => {
    const ledger = new CacheLedger();
    for (let n = 0; n < CACHE_WORKER_ENTRIES_MAX; n++) {
      expect(ledger.stored("a", `${n}`, 0)).toEqual([]);
    }
    expect(ledger.stored("a", "more", 0)).toEqual([{ workerId: "a", key: "0" }]);
  });

  it("is not charged twice for a response that was replaced, nor for one that is gone", () => {
    const ledger = new CacheLedger();
    for (let n = 0; n < 3; n++) ledger.stored("a", "same", CACHE_WORKER_BYTES_MAX);
    ledger.looked("a", "same", false);
    expect(ledger.stored("a", "other", CACHE_WORKER_BYTES_MAX)).toEqual([]);
  });
});

describe("all Workers together", () => {
  it("keep so much; the one that was quiet longest loses first", () => {
    const ledger = new CacheLedger();
    const workers = CACHE_BYTES_MAX / CACHE_WORKER_BYTES_MAX;
    for (let n = 0; n < workers; n++) {
      expect(ledger.stored(`${n}`, "k", CACHE_WORKER_BYTES_MAX)).toEqual([]);
    }
    ledger.looked("0", "k", true);
    expect(ledger.stored("new", "k", 1)).toEqual([{ workerId: "1", key: "k" }]);
  });

  it("are no more than so many", () => {
    const ledger = new CacheLedger();
    for (let n = 0; n < CACHE_WORKERS_MAX; n++) ledger.stored(`${n}`, "k", 1);
    expect(ledger.stored("new", "k", 1)).toEqual([{ workerId: "0", key: "k" }]);
  });
});

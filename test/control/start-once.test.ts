import { expect, it } from "vitest";
import { startOnce } from "../../src/control/start-once.ts";
import type { LoadableVersion, ProbeResult } from "../../src/domain/version.ts";

const started = (probed: ProbeResult) =>
  startOnce({ probe: () => Promise.resolve(probed) }, {} as LoadableVersion);
const exporting = (handlers: readonly string[], named: readonly string[] = []): ProbeResult => ({
  ok: true,
  startupTimeMs: 1,
  handlers,
  namedHandlers: named.map((name) => ({ name, handlers: [] })),
});

it("code that starts and exports something is taken, with what was learned of it", async () => {
  const probed = exporting(["fetch"]);
  expect(await started(probed)).toEqual({ ok: true, value: probed });
});

it("a class alone is enough", async () => {
  expect(await started(exporting([], ["Counter"]))).toMatchObject({ ok: true });
});

it("code that does not start is refused with what the runtime said", async () => {
  expect(await started({ ok: false, message: "boom" })).toEqual({
    ok: false,
    error: { kind: "start_failed", detail: "boom" },
  });
});

it("code that can do nothing is refused", async () => {
  expect(await started(exporting([]))).toEqual({ ok: false, error: { kind: "no_handlers" } });
});

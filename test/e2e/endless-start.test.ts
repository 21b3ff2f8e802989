/** Code that never stops starting costs one process that serves nobody, and its own upload's acceptance. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { putWorker } from "./support/small-worker.ts";
import { TestHost } from "./support/test-host.ts";

const host = new TestHost();
beforeAll(async () => {
  await host.start();
  await putWorker(host, "bystander", "export default { fetch: () => new Response('still here') };");
});
afterAll(() => host.dispose());

function put(source: string) {
  const form = new FormData();
  form.set("metadata", JSON.stringify({ main_module: "w.js", compatibility_date: "2026-10-01" }));
  form.append("w.js", new File([source], "w.js", { type: "application/javascript+module" }));
  return host.api("A/workers/scripts/endless", { method: "PUT", body: form });
}
const ENDLESS = "while (true) {}\nexport default { fetch: () => new Response('never') };";

test("an upload that loops at its top level is refused with the reason, each time, and nobody else notices", async () => {
  const before = host.processes().filter(({ kind }) => kind !== "trial");
  for (const attempt of [1, 2]) {
    let answered = false;
    const upload = put(ENDLESS).finally(() => (answered = true));
    const visits: string[] = [];
    while (!answered) {
      visits.push((await host.visit("bystander.localhost")).body);
      expect((await host.api("A/workers/scripts/bystander/versions")).status).toBe(200);
    }
    expect(new Set(visits)).toEqual(new Set(["still here"]));
    const refused = await upload;
    expect(refused, `attempt ${attempt}`).toMatchObject({ status: 400, errors: [{ code: 10021 }] });
    expect(refused.errors[0]?.message).toMatch(/stopped answering.*loop.*at the top level/);
  }
  expect((await host.api("A/workers/scripts/endless/versions")).status).toBe(404);
  const corrected = await put("export default { fetch: () => new Response('well') };");
  expect(corrected).toMatchObject({ status: 200, success: true });
  const losses = [...host.log.matchAll(/gateway lost .*?kind=(\w+) cause=(\w+)/g)];
  expect(losses.map(([, kind, cause]) => `${kind} ${cause}`)).toEqual([
    "trial blocked",
    "trial blocked",
  ]);
  expect(host.processes()).toEqual(expect.arrayContaining(before));
});

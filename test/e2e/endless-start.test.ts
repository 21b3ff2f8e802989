/** Code that never stops starting costs one restart of the runtime, not one for each time it is sent. */
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

test("an upload that loops at its top level is refused at once when it is sent again", async () => {
  // Nobody is left to answer it: the connection breaks.
  await expect(put(ENDLESS)).rejects.toThrow();
  await host.logged(/runtime back/);
  const restarts = () => [...host.log.matchAll(/restarting/g)].length;
  expect(restarts()).toBe(1);

  for (const attempt of [1, 2]) {
    const refused = await put(ENDLESS);
    expect(refused, `attempt ${attempt}`).toMatchObject({ status: 400, errors: [{ code: 10021 }] });
    expect(refused.errors[0]?.message).toMatch(/stopped answering.*loop at the top level/);
  }
  expect((await host.api("A/workers/scripts/endless/versions")).status).toBe(404);
  expect((await host.visit("bystander.localhost")).body).toBe("still here");
  const corrected = await put("export default { fetch: () => new Response('well') };");
  expect(corrected).toMatchObject({ status: 200, success: true });
  expect(restarts()).toBe(1);
});

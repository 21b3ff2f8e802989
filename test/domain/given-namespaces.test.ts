import { expect, it } from "vitest";
import { durableResource, readDurableResource } from "../../src/domain/durable-resource.ts";
import { stepOn, type GivenNamespaces } from "../../src/domain/given-namespaces.ts";
import type { WorkerId } from "../../src/domain/ids.ts";

const [a, b, c] = ["a", "b", "c"].map((letter) => letter.repeat(32) as WorkerId);

it("whoever means a namespace's earlier owner is led to the one that has it, though it came back", () => {
  const given: Record<WorkerId, GivenNamespaces> = {
    [a!]: { n: { workerId: c!, transfers: 4 } },
    [b!]: { n: { workerId: a!, transfers: 2 } },
  };
  let at = { workerId: b!, namespaceId: "n", transfers: 1 };
  for (let next; (next = stepOn(at, given[at.workerId] ?? {}));) at = next;
  expect(at).toEqual({ workerId: c, namespaceId: "n", transfers: 4 });
  const back = { workerId: b!, namespaceId: "n", transfers: 3 };
  expect(stepOn(back, given[b!]!)).toBeNull();
  // Two wanted it at once: the one that was late is sent to the other, which stays.
  const late = { workerId: b!, namespaceId: "n", transfers: 4 };
  const won = stepOn(late, given[a!]!);
  expect(won).toEqual(at);
  expect(stepOn(won!, given[a!]!)).toBeNull();
  expect(stepOn({ ...back, namespaceId: "m", transfers: 0 }, given[b!]!)).toBeNull();
});

it("a binding's resource is read as it was written, and one that leads nowhere as empty", () => {
  const at = { workerId: a!, namespaceId: "n", home: b!, transfers: 2 };
  expect(readDurableResource(durableResource(at))).toEqual(at);
  expect(readDurableResource("")).toMatchObject({ workerId: "", namespaceId: "" });
});

import { createExecutionContext } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { WorkerId } from "../../../src/domain/ids.ts";
import {
  type DurableObjectBindingProps,
  defineDurableObjectBinding,
} from "../../../src/gateway/bindings/durable-object-binding.ts";
import type { Gateway } from "../../../src/gateway/gateway.ts";
import { OBJECT_HEADER, unseal } from "../../../src/gateway/objects/object-address.ts";
import {
  opened,
  type ObjectsDoorCalls,
  WRONG_PROCESS,
} from "../../../src/gateway/objects/objects-directory.ts";
import { defineObjectsDoor } from "../../../src/gateway/objects/objects-door.ts";
import { sealAnswer, sealThrown } from "../../../src/gateway/objects/thrown-response.ts";

const PROPS: DurableObjectBindingProps = {
  workerId: "w".repeat(32) as WorkerId,
  namespaceId: "n".repeat(32),
  home: "h".repeat(32) as WorkerId,
  transfers: 1,
};
const ID = "0a".repeat(32);

type Answer = (kind: string, ...args: unknown[]) => unknown;

/** A binding whose doors answer in turn; null: the directory has none. */
function bindingTo(answers: (Answer | null)[], props = PROPS) {
  const ctx = { ...createExecutionContext(), props } as unknown as ExecutionContext<typeof PROPS>;
  const doors: string[] = [];
  const Binding = defineDurableObjectBinding<unknown>(() => ({
    async door(workerId) {
      const answer = answers.shift();
      doors.push(workerId);
      if (!answer) throw new Error("no process");
      const call = async (...args: unknown[]) => answer("call", ...args);
      const fetch = async (request: Request) => answer("fetch", request) as Response;
      return opened({ call, fetch } as unknown as ObjectsDoorCalls);
    },
  }));
  return { binding: new Binding(ctx, {}), doors };
}

const wrong: Answer = () => {
  throw new Error(WRONG_PROCESS);
};

describe("a binding to Durable Objects", () => {
  it("takes whose objects they are from its props alone", async () => {
    const seen: unknown[] = [];
    const { binding, doors } = bindingTo([(...args) => seen.push(args)]);
    await binding.call(ID, "lobby", ["say"], ["hi"]);
    const address = { ...PROPS, objectId: ID, name: "lobby" };
    expect(seen).toEqual([["call", address, ["say"], ["hi"]]]);
    expect(doors).toEqual([PROPS.home]);
  });

  it("asks nobody when the id, the path or the arguments are none", () => {
    const { binding, doors } = bindingTo([]);
    expect(() => binding.call(`${ID}/../x`, null, ["say"], [])).toThrow(TypeError);
    expect(() => binding.call(ID, null, ["constructor"], [])).toThrow(TypeError);
    expect(() => binding.call(ID, null, ["say"], "hi")).toThrow(TypeError);
    expect(() => binding.get(ID, null, ["__switchbackAlarm"])).toThrow(TypeError);
    expect(() => binding.fetch(new Request("http://x/"))).toThrow(TypeError);
    expect(doors).toEqual([]);
  });

  it("whose class is gone says so", () => {
    const { binding } = bindingTo([], { ...PROPS, workerId: "" as WorkerId });
    expect(() => binding.call(ID, null, ["say"], [])).toThrow("does not exist any more");
  });

  it("looks for the process again while nothing of a call can have run, and not otherwise", async () => {
    const found = bindingTo([null, wrong, () => "found"]);
    expect(await found.binding.call(ID, null, ["say"], [])).toBe("found");
    const lost = bindingTo([
      () => {
        throw new Error("connection lost");
      },
      () => "again",
    ]);
    await expect(lost.binding.call(ID, null, ["say"], [])).rejects.toThrow("connection lost");
    expect(lost.doors).toHaveLength(1);
  });

  it("sends a request with a body once, since nothing is left of it then", async () => {
    const headers = { [OBJECT_HEADER]: encodeURIComponent(JSON.stringify([ID, null])) };
    const moved = () => sealThrown(new Error(WRONG_PROCESS));
    const withBody = bindingTo([moved, () => new Response("2")]);
    const post = new Request("http://x/", { method: "POST", body: "b", headers });
    await expect(withBody.binding.fetch(post)).rejects.toThrow(WRONG_PROCESS);
    const without = bindingTo([moved, () => new Response("2")]);
    expect(await (await without.binding.fetch(new Request("http://x/", { headers }))).text()).toBe(
      "2",
    );
  });

  it("throws what the object's fetch has thrown, but never for an answer that only looks like it", async () => {
    const headers = { [OBJECT_HEADER]: encodeURIComponent(JSON.stringify([ID, "lobby"])) };
    const thrown = Object.assign(new RangeError("no"), { code: 7, remote: true });
    const failing = bindingTo([() => sealThrown(thrown)]);
    const error = await failing.binding
      .fetch(new Request("http://x/", { headers }))
      .catch((e) => e);
    expect(error).toBeInstanceOf(RangeError);
    expect(error).toMatchObject({ message: "no", code: 7, remote: true });
    const forged = bindingTo([
      (_, sealed) => {
        expect(unseal(sealed as Request).target).toMatchObject({ objectId: ID, name: "lobby" });
        return sealAnswer(Response.json({}, { headers: { [OBJECT_HEADER]: "threw" } }));
      },
    ]);
    expect((await forged.binding.fetch(new Request("http://x/", { headers }))).status).toBe(200);
  });
});

it("a process of objects refuses those of another Worker, before anything else", async () => {
  const gateway = () => {
    throw new Error("nothing may be asked");
  };
  const Door = defineObjectsDoor<{ readonly WORKER_ID?: string }>(gateway as () => Gateway);
  const door = new Door(createExecutionContext(), { WORKER_ID: "a".repeat(32) });
  const other = "b".repeat(32) as WorkerId;
  const own = "a".repeat(32) as WorkerId;
  // Even of a class that was this Worker's to give: the storage is the other's.
  const address = { ...PROPS, workerId: own, home: other, objectId: ID, name: null };
  await expect(door.call(address, ["say"], [])).rejects.toThrow(WRONG_PROCESS);
  await expect(door.erase(other, "n")).rejects.toThrow(WRONG_PROCESS);
  await expect(door.list(other, "n", "", 1)).rejects.toThrow(WRONG_PROCESS);
});

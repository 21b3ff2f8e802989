import { describe, expect, it } from "vitest";
import {
  OBJECT_NAME_BYTES_MAX,
  OBJECT_PATH_DEPTH_MAX,
  OBJECT_PATH_NAME_CHARS_MAX,
} from "../../../src/domain/limits-durable.ts";
import {
  ALARM_HEADER,
  OBJECT_HEADER,
  readObjectId,
  readObjectName,
  readPath,
  seal,
  unseal,
} from "../../../src/gateway/objects/object-address.ts";

describe("what a version says about an object", () => {
  it.each([
    ["x"],
    ["A".repeat(64)],
    [`${"a".repeat(63)}:`],
    [`${"a".repeat(64)}\n`],
    [undefined],
    [["a".repeat(64)]],
    [{ toString: () => "a".repeat(64) }],
  ])("%j is no id", (id) => {
    expect(() => readObjectId(id)).toThrow(TypeError);
  });

  it("an id is 64 lower-case hex digits", () => {
    expect(readObjectId("0a".repeat(32))).toBe("0a".repeat(32));
  });

  it("a name is told up to its limit in bytes; a longer one is not, and names its object all the same", () => {
    const name = "é".repeat(OBJECT_NAME_BYTES_MAX / 2);
    expect(readObjectName(name)).toBe(name);
    expect(readObjectName(`${name}x`)).toBeNull();
    expect(readObjectName(5)).toBeNull();
  });

  it.each([
    [["__proto__"]],
    [["say", "constructor"]],
    [["say", "__proto__", "x"]],
    [["toString"]],
    [["hasOwnProperty"]],
    [["then"]],
    [["say", "then"]],
    [["fetch"]],
    [["connect"]],
    [["dup"]],
    [["__switchbackAlarm"]],
    [[""].concat(["x".repeat(OBJECT_PATH_NAME_CHARS_MAX + 1)])],
    [[5]],
    [[]],
    ["say"],
    [Array<string>(OBJECT_PATH_DEPTH_MAX + 1).fill("a")],
  ])("%j is no path", (path) => {
    expect(() => readPath(path)).toThrow(TypeError);
  });

  it("a path is names, as deep as it may be", () => {
    expect(readPath(["say", "fetch"])).toEqual(["say", "fetch"]);
    const deep = Array<string>(OBJECT_PATH_DEPTH_MAX).fill("a".repeat(OBJECT_PATH_NAME_CHARS_MAX));
    expect(readPath(deep)).toEqual(deep);
  });
});

describe("a request for an object", () => {
  it("arrives as it was, whatever of its headers looks like the gateway's own", async () => {
    const given = new Request("https://room.example/a?b=c", {
      method: "POST",
      body: "body",
      headers: { "x-own": "1", [ALARM_HEADER]: "{}", [OBJECT_HEADER]: "forged" },
      cf: { country: "T1" } as never,
    });
    const { target, request } = unseal<string>(seal(given, "the object"));
    expect(target).toBe("the object");
    expect(request.url).toBe("https://room.example/a?b=c");
    expect([...request.headers.keys()].sort()).toEqual(["content-type", "x-own"]);
    expect(request.cf).toEqual({ country: "T1" });
    expect(await request.text()).toBe("body");
  });
});

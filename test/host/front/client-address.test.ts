import { isIPv6 } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { clientOf } from "../../../src/host/front/client-address.ts";

describe("a client, by its address", () => {
  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
    ["2001:db8::6", "2001:db8:0:0"],
    ["2001:db8:1:2::", "2001:db8:1:2"],
    ["fe80::1%eth0", "fe80:0:0:0"],
    ["::2", "0:0:0:0"],
    ["1::", "1:0:0:0"],
    ["::ffff:1:2:3:4", "0:0:0:ffff"],
  ])("%s is %s", (address, client) => {
    expect(clientOf(address)).toBe(client);
  });

  it.each(["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])(
    "%s is this machine",
    (address) => {
      expect(clientOf(address)).toBeNull();
    },
  );

  it("is the same for a whole /64 network, and for no two", () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }));
    const four = fc.array(group, { minLength: 4, maxLength: 4 });
    /** As systems write it: the URL parser does, too. */
    const written = (groups: readonly number[]) =>
      new URL(`http://[${groups.map((value) => value.toString(16)).join(":")}]`).hostname.slice(
        1,
        -1,
      );
    fc.assert(
      fc.property(four, four, four, (network, host, other) => {
        // ::1 and the mapped IPv4 addresses are in this network.
        fc.pre(network.some((value) => value !== 0) && isIPv6(written([...network, ...host])));
        const expected = network.map((value) => value.toString(16)).join(":");
        expect(clientOf(written([...network, ...host]))).toBe(expected);
        expect(clientOf(written([...network, ...other]))).toBe(expected);
      }),
    );
  });
});

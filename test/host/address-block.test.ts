import fc from "fast-check";
import { expect, it } from "vitest";
import { isAddressBlock } from "../../src/host/address-block.ts";

it("takes every address with as many bits as it has, and not one more", () => {
  const v4 = fc.tuple(fc.ipV4(), fc.constant(32));
  const v6 = fc.tuple(fc.ipV6(), fc.constant(128));
  fc.assert(
    fc.property(fc.oneof(v4, v6), fc.nat(200), ([address, most], bits) => {
      expect(isAddressBlock(`${address}/${bits}`)).toBe(bits <= most);
    }),
  );
});

it.each([
  "",
  "203.0.113.7",
  "2001:db8::1",
  "203.0.113/24",
  "203.0.113.256/32",
  "203.0.113.7/",
  "203.0.113.7/-1",
  "203.0.113.7/08",
  "203.0.113.7/2.5",
  "203.0.113.7/32/1",
  " 203.0.113.7/32",
  "fe80::1%eth0/64",
  "[2001:db8::]/32",
  "example.com/32",
  "private",
])("refuses %j, with which no gateway would start", (text) => {
  expect(isAddressBlock(text)).toBe(false);
});

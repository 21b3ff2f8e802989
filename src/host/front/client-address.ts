/** Whose connection it is, as far as an address tells: connections are counted by it. */

/** An IPv4 address in IPv6; without the dots the same beginning is an ordinary network. */
const MAPPED = /^::ffff:(?=[\d.]+$)(?=.*\.)/;
/** What a provider gives one customer at least: the first 64 bits. */
const NETWORK_GROUPS = 4;

/** As an address is told: an IPv4 address as such, without the interface that it came in by. */
export const plainAddress = (address: string): string =>
  address.replace(MAPPED, "").replace(/%.*$/, "");

/**
 * An IPv4 address, or the /64 network of an IPv6 address (`2001:db8:0:1`); null for this machine itself, where a
 * reverse proxy connects from. `address` is as the system writes it: `::1`, `::ffff:192.0.2.1`, `fe80::1%eth0`.
 */
export function clientOf(address: string): string | null {
  const plain = plainAddress(address);
  if (plain === "::1" || plain.startsWith("127.")) return null;
  if (!plain.includes(":")) return plain;
  const [before = "", after] = plain.split("::");
  const groups = before === "" ? [] : before.split(":");
  if (after !== undefined) {
    const end = after === "" ? [] : after.split(":");
    while (groups.length + end.length < 8) groups.push("0");
    groups.push(...end);
  }
  return groups.slice(0, NETWORK_GROUPS).join(":");
}

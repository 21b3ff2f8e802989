/** Reserved names that mean this machine or its network. */
const LOCAL_NAME = /(^|\.)(localhost|local|internal)$/;
const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/;

/** IPv4 ranges that are not of the public Internet (IANA's special-purpose registry), as first address and prefix. */
const SPECIAL_IPV4: readonly (readonly [number, number])[] = [
  [0x00000000, 8], // this network
  [0x0a000000, 8], // private
  [0x64400000, 10], // carrier-grade NAT
  [0x7f000000, 8], // loopback
  [0xa9fe0000, 16], // link-local, cloud metadata
  [0xac100000, 12], // private
  [0xc0000000, 24], // IETF protocols
  [0xc0000200, 24], // documentation
  [0xc0a80000, 16], // private
  [0xc6120000, 15], // benchmarks
  [0xc6336400, 24], // documentation
  [0xcb007100, 24], // documentation
  [0xe0000000, 3], // multicast, reserved, broadcast
];

/**
 * Why a URL's host cannot be on the public Internet, by what is written there; null when it may be. `hostname`
 * is as URL gives it: its parser has made 0x7f.1 and 2130706433 into 127.0.0.1. Where a name leads is not
 * decided here: the network behind checks addresses after resolution.
 */
export function privateHostReason(hostname: string): string | null {
  const host = hostname.endsWith(".") ? hostname.slice(0, -1) : hostname;
  if (host.startsWith("[")) {
    return isGlobalIpv6(host.slice(1, -1)) ? null : "it is not a public IPv6 address";
  }
  const ipv4 = IPV4.exec(host);
  if (ipv4) return isPublicIpv4(ipv4) ? null : "it is not a public IPv4 address";
  return LOCAL_NAME.test(host) ? "names of this kind are local to the machine" : null;
}

function isPublicIpv4(octets: RegExpExecArray): boolean {
  const address = [1, 2, 3, 4].reduce((sum, at) => sum * 256 + Number(octets[at]), 0);
  return !SPECIAL_IPV4.some(([first, prefix]) => {
    const size = 2 ** (32 - prefix);
    return address >= first && address < first + size;
  });
}

/**
 * Global unicast (2000::/3) without what is special in it. Mapped, translated and tunnelled IPv4 is refused
 * whatever address it holds: nothing public needs it.
 */
function isGlobalIpv6(address: string): boolean {
  const [first = 0, second = 0] = address.split(":").map((group) => parseInt(group || "0", 16));
  if (address.startsWith("::") || first < 0x2000 || first > 0x3fff) return false;
  if (first === 0x2001) return second >= 0x200 && second !== 0xdb8;
  return first !== 0x2002 && !(first === 0x3fff && second < 0x1000);
}

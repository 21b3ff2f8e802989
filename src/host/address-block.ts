/** Blocks of addresses as the runtime takes them: `203.0.113.0/24`, `2001:db8::/32`. Pure. */
import { isIP } from "node:net";

const BITS: Readonly<Record<number, number>> = { 4: 32, 6: 128 };

/** Whether a gateway would start with it: an address and how many of its bits count. A zone (`%eth0`) has no place here. */
export function isAddressBlock(text: string): boolean {
  const [, address, bits] = /^([\d.:a-f]+)\/(0|[1-9]\d{0,2})$/i.exec(text) ?? [];
  return address !== undefined && Number(bits) <= (BITS[isIP(address)] ?? -1);
}

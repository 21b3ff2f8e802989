/** What deployed code's way to the Internet depends on: this machine's addresses, and whom its operator trusts. */
import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";

export function ownAddresses(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((interfaces) => interfaces ?? []);
  return [...new Set(addresses.map(({ address }) => address))];
}

/** The authorities that this machine's operator trusts besides the system's, as Node itself takes them. */
export function extraCertificates(): string[] {
  const file = process.env["NODE_EXTRA_CA_CERTS"];
  if (!file || !existsSync(file)) return [];
  return (
    readFileSync(file, "utf8").match(
      /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g,
    ) ?? []
  );
}

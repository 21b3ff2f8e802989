import type { DomainError } from "./errors.ts";
import { err, ok, type Result } from "./result.ts";
import type { Zone } from "./worker.ts";

/** Zones are made on first use: nobody has to register `example.com` before routing it. */
export class ZoneBook {
  readonly made: Zone[] = [];
  readonly #known: readonly Zone[];
  readonly #newId: () => string;

  constructor(known: readonly Zone[], newId: () => string) {
    this.#known = known;
    this.#newId = newId;
  }

  find(
    request: { readonly zoneId?: string; readonly zoneName?: string },
    host: string,
  ): Result<Zone, DomainError> {
    const all = [...this.#known, ...this.made];
    const given =
      request.zoneId === undefined
        ? null
        : all.find((candidate) => candidate.id === request.zoneId);
    if (given === undefined) return err({ kind: "zone_not_found", zone: request.zoneId ?? "" });
    const name = given?.name ?? (request.zoneName ?? zoneOf(all, host)).toLowerCase();
    // `*` alone, every host, lies in whatever zone the client says.
    if (name === "" || (host !== "" && host !== name && !host.endsWith(`.${name}`))) {
      const detail = name === "" ? "it needs a zone" : `its host is not in the zone ${name}`;
      return err({ kind: "bad_route_pattern", pattern: host, detail });
    }
    const known = all.find((candidate) => candidate.name === name);
    if (known !== undefined) return ok(known);
    const zone = { id: this.#newId(), name };
    this.made.push(zone);
    return ok(zone);
  }
}

/** The longest known zone that a host lies in, else its last two labels. */
function zoneOf(zones: readonly Zone[], host: string): string {
  const known = zones
    .filter((zone) => host === zone.name || host.endsWith(`.${zone.name}`))
    .sort((a, b) => b.name.length - a.name.length)[0];
  return known?.name ?? host.split(".").slice(-2).join(".");
}

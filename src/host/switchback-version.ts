/** Which Switchback lies here. */
import { readFileSync } from "node:fs";

/** As the package has it, e.g. `0.1.0`. */
export function switchbackVersion(): string {
  const file = new URL("../../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

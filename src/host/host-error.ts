/** What stops a start and the operator can mend: its message is printed alone, without a stack. */
export class HostError extends Error {
  override readonly name = "HostError";
}

/** What node:sqlite names all of SQLite's errors; SQLite's own words tell them apart. */
const SQLITE_CODE = "ERR_SQLITE_ERROR";

/** The text of anything thrown; system errors as their code, which is what people search for. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  return code === undefined || code === SQLITE_CODE ? error.message : code;
}

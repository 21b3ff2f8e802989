/** What stops a start and the operator can mend: its message is printed alone, without a stack. */
export class HostError extends Error {
  override readonly name = "HostError";
}

/** The text of anything thrown; system errors as their code, which is what people search for. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}

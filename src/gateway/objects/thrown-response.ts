/** An error on its way through HTTP, so that whoever called `fetch` gets it as it was thrown. */
import { OBJECT_HEADER } from "./object-address.ts";

interface Thrown {
  readonly name: string;
  readonly message: string;
  /** Further properties that are plain. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The header's value on such an answer, and on every other one. */
const THROWN = "threw";
const ANSWERED = "answered";

export function sealThrown(error: unknown): Response {
  const isError = error instanceof Error;
  const thrown: Thrown = {
    name: isError ? error.name : "Error",
    message: isError ? error.message : String(error),
    fields: isError ? plainFields(error) : {},
  };
  return Response.json(thrown, { status: 500, headers: { [OBJECT_HEADER]: THROWN } });
}

/** What an object answers may not be taken for an error. */
export function sealAnswer(response: Response): Response {
  if (!response.headers.has(OBJECT_HEADER)) return response;
  const answer = new Response(response.body, response);
  answer.headers.set(OBJECT_HEADER, ANSWERED);
  return answer;
}

/** Throws what was thrown. */
export async function unsealAnswer(response: Response): Promise<Response> {
  if (response.headers.get(OBJECT_HEADER) !== THROWN) return response;
  const { name, message, fields } = await response.json<Thrown>();
  const Class = ERRORS[name] ?? Error;
  const error = Object.assign(new Class(message), fields);
  if (error.name !== name) error.name = name;
  throw error;
}

function plainFields(error: Error): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(error)) {
    if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") {
      fields[key] = value;
    }
  }
  delete fields["stack"];
  return fields;
}

const ERRORS: Readonly<Record<string, new (message: string) => Error>> = {
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
};

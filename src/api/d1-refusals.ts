/** What D1 refuses; Cloudflare's codes, because wrangler reads them, and its texts where they are known. */
import { bad, refusal, type Kind, type WireRefusal } from "./wire-refusal.ts";

type D1Error = Kind<
  | "d1_not_found"
  | "d1_bad_name"
  | "d1_name_taken"
  | "too_many_d1_databases"
  | "d1_query_failed"
  | "d1_outcome_unknown"
  | "d1_link_invalid"
  | "d1_file_not_found"
>;

export function d1Refusal(error: D1Error): WireRefusal {
  switch (error.kind) {
    case "d1_not_found":
      return refusal(404, 7404, `The database ${error.database.slice(0, 200)} could not be found`);
    case "d1_bad_name":
      return bad(
        7400,
        `${JSON.stringify(error.name.slice(0, 80))} is not a database's name. Use 1 to 200 of a-z, A-Z, 0-9, _ and -, starting with a letter or digit.`,
      );
    case "d1_name_taken":
      return bad(7502, `Database with name ${error.name} already exists`);
    case "too_many_d1_databases":
      return bad(
        7406,
        `The account has ${error.max} D1 databases, the most it may have. Delete some first.`,
      );
    case "d1_query_failed":
      return bad(7500, error.detail);
    case "d1_outcome_unknown":
      // Without Retry-After: clients would run it again by themselves.
      return refusal(
        503,
        130086,
        "The database did not answer: its process was lost while it ran this, perhaps because this takes too long. Whether it was done is not known. Look before you run it again, and bound it (LIMIT, smaller steps).",
      );
    case "d1_link_invalid":
      return refusal(
        403,
        130084,
        "This link to a file of SQL is not one of this host, or its hour is over. Begin the import or export again.",
      );
    case "d1_file_not_found":
      return bad(
        130085,
        `There is no uploaded file ${JSON.stringify(error.file.slice(0, 80))}: it was never uploaded, was imported already, or its day is over. Begin the import again.`,
      );
  }
}

/** What R2 refuses; Cloudflare's codes, because wrangler reads them, and its texts where they are known. */
import { bad, refusal, type Kind, type WireRefusal } from "./wire-refusal.ts";

type R2Error = Kind<
  | "r2_bucket_not_found"
  | "r2_bucket_exists"
  | "r2_bad_bucket_name"
  | "r2_bucket_not_empty"
  | "too_many_r2_buckets"
  | "r2_object_not_found"
  | "r2_length_missing"
  | "r2_refused"
>;

export function r2Refusal(error: R2Error): WireRefusal {
  switch (error.kind) {
    case "r2_bucket_not_found":
      return refusal(404, 10006, "The specified bucket does not exist.");
    case "r2_bucket_exists":
      return bad(10004, "The bucket you tried to create already exists, and you own it.");
    case "r2_bad_bucket_name":
      return bad(
        10005,
        `The specified bucket name is not valid: ${JSON.stringify(error.name.slice(0, 80))}. Use 3 to 63 of a-z, 0-9 and -, with no dash at either end.`,
      );
    case "r2_bucket_not_empty":
      return bad(
        10008,
        `The bucket you tried to delete (${error.name}) is not empty. Delete its objects first; GET …/r2/buckets/${error.name}/objects lists them.`,
      );
    case "too_many_r2_buckets":
      return bad(
        130065,
        `The account has ${error.max} R2 buckets, the most it may have. Delete some first.`,
      );
    case "r2_object_not_found":
      return refusal(404, 10007, "The specified key does not exist.");
    case "r2_length_missing":
      return refusal(
        411,
        130064,
        "An object is stored only if its length is known beforehand. Send Content-Length, not a chunked body.",
      );
    case "r2_refused":
      return bad(error.code, error.message);
  }
}

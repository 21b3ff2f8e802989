/** What queues and cron triggers refuse; Cloudflare's codes where clients know them. */
import { bad, refusal, type Kind, type WireRefusal } from "./wire-refusal.ts";

export type QueueError = Kind<
  | "queue_not_found"
  | "bad_queue_name"
  | "queue_name_taken"
  | "queue_settings_invalid"
  | "consumer_settings_invalid"
  | "consumer_not_found"
  | "consumer_exists"
  | "too_many_queues"
  | "message_refused"
  | "bad_cron"
  | "too_many_schedules"
>;

export function queueRefusal(error: QueueError): WireRefusal {
  switch (error.kind) {
    case "queue_not_found":
      return refusal(
        404,
        11000,
        `There is no queue ${error.queue}. GET …/queues lists those there are.`,
      );
    case "bad_queue_name":
      return bad(
        11003,
        `${JSON.stringify(error.name.slice(0, 80))} is not a queue's name. Use 1 to 63 letters, digits and dashes, with no dash at either end.`,
      );
    case "queue_name_taken":
      return bad(
        11009,
        `Queue name '${error.name}' is already taken. Please use a different name and try again.`,
      );
    case "queue_settings_invalid":
      return bad(100128, `The queue's settings cannot be used: ${error.detail}`);
    case "consumer_settings_invalid":
      return bad(100127, `The consumer's settings cannot be used: ${error.detail}`);
    case "consumer_not_found":
      return refusal(
        404,
        130075,
        `This queue has no consumer ${error.consumerId}. GET …/consumers shows the one it has.`,
      );
    case "consumer_exists":
      return bad(
        130076,
        `The queue ${error.queue} has a consumer already, the Worker ${error.worker}. A queue has one: change it, or remove it first (wrangler queues consumer remove ${error.queue} ${error.worker}).`,
      );
    case "too_many_queues":
      return bad(
        130077,
        `The account has ${error.max} queues, the most it may have. Delete some first.`,
      );
    case "message_refused":
      return bad(130078, `The message is not taken: ${error.detail}.`);
    case "bad_cron":
      return bad(
        130079,
        `The cron expression ${JSON.stringify(error.cron.slice(0, 80))} cannot be used. ${error.detail} Nothing was changed.`,
      );
    case "too_many_schedules":
      return bad(
        130074,
        `${error.of === "worker" ? "A Worker" : "An account"} may have ${error.max} schedules. Nothing was changed; send fewer.`,
      );
  }
}

/** Make, change, empty and delete queues. */
import type { QueueConfig } from "../data/queues/queue-config.ts";
import type { DomainError } from "../domain/errors.ts";
import { QUEUES_MAX } from "../domain/limits-queue.ts";
import type { Queue } from "../domain/queue-records.ts";
import {
  consumerSettings,
  isQueueName,
  type QueueSettings,
  refuseQueueSettings,
} from "../domain/queue-settings.ts";
import { err, ok, type Result } from "../domain/result.ts";
import {
  countQueues,
  findConsumers,
  findDeadLetterSources,
  findQueue,
  insertQueue,
  markQueueDeleted,
  updateQueue,
  wasQueueDeleted,
} from "../store/queues.ts";
import { writeAudit } from "../store/audit.ts";
import { findResourceReferrers } from "../store/resources.ts";
import { askStore } from "./ask-store.ts";
import { auditEntry } from "./audit-entry.ts";
import type { ActingContext, ControlContext } from "./context.ts";

export async function queueById(
  context: Pick<ControlContext, "db" | "accountId">,
  id: string,
): Promise<Result<Queue, DomainError>> {
  const queue = await findQueue(context.db, context.accountId, { id });
  return queue ? ok(queue) : err({ kind: "queue_not_found", queue: id });
}

export async function createQueue(
  context: ActingContext,
  name: string,
  settings: QueueSettings,
): Promise<Result<Queue, DomainError>> {
  const { db, accountId } = context;
  if (!isQueueName(name)) return err({ kind: "bad_queue_name", name });
  const refused = refuseQueueSettings(settings);
  if (refused !== null) return err({ kind: "queue_settings_invalid", detail: refused });
  if ((await countQueues(db, accountId)) >= QUEUES_MAX) {
    return err({ kind: "too_many_queues", max: QUEUES_MAX });
  }
  const id = context.newId().replaceAll("-", "");
  const entry = auditEntry(context, "queue.create", `queue:${id}`, { queue: name, settings });
  const queue: Queue = { id, name, settings, createdOn: entry.at, modifiedOn: entry.at };
  if (!(await insertQueue(db, accountId, queue, entry)))
    return err({ kind: "queue_name_taken", name });
  const told = await tellQueue(context, queue);
  if (!told.ok) return told;
  // Whose dead messages were to go to a queue of this name.
  for (const source of await findDeadLetterSources(db, accountId, name)) {
    const other = await findQueue(db, accountId, { id: source });
    const also = other === null ? ok(undefined) : await tellQueue(context, other);
    if (!also.ok) return also;
  }
  return ok(queue);
}

/** Refused with a name other than its own: what is bound to a queue is bound to its name. */
export async function changeQueue(
  context: ActingContext,
  before: Queue,
  change: { readonly name?: string | undefined; readonly settings: Partial<QueueSettings> },
): Promise<Result<Queue, DomainError>> {
  if (change.name !== undefined && change.name !== before.name) {
    const instead = "Create a queue of that name, and bind it instead.";
    return err({ kind: "not_supported", what: "Renaming a queue", instead });
  }
  const settings = { ...before.settings, ...change.settings };
  const refused = refuseQueueSettings(settings);
  if (refused !== null) return err({ kind: "queue_settings_invalid", detail: refused });
  const details = { queue: before.name, settings: change.settings };
  const entry = auditEntry(context, "queue.update", `queue:${before.id}`, details);
  const queue: Queue = { ...before, settings, modifiedOn: entry.at };
  await updateQueue(context.db, context.accountId, queue, entry);
  const told = await tellQueue(context, queue);
  return told.ok ? ok(queue) : told;
}

/**
 * Delete a queue with every message in it. Refused while current deployments are bound to it, unless forced. Deleting
 * again what could not be emptied the last time empties it.
 */
export async function deleteQueue(
  context: ActingContext,
  id: string,
  { force }: { readonly force: boolean },
): Promise<Result<Queue, DomainError>> {
  const { db, accountId } = context;
  const queue = await findQueue(db, accountId, { id });
  if (queue === null) {
    if (await wasQueueDeleted(db, accountId, id)) {
      const emptied = await destroy(context, id);
      if (!emptied.ok) return emptied;
    }
    return err({ kind: "queue_not_found", queue: id });
  }
  const { name } = queue;
  const users = force ? [] : await findResourceReferrers(db, accountId, "queue", name);
  if (users.length > 0) return err({ kind: "resource_in_use", what: "queue", name, users });
  const entry = auditEntry(context, "queue.delete", `queue:${id}`, { queue: name, force });
  await markQueueDeleted(db, accountId, id, entry);
  const emptied = await destroy(context, id);
  return emptied.ok ? ok(queue) : emptied;
}

const destroy = (context: ActingContext, id: string) =>
  askStore("The queue", { idempotent: true }, () => context.stores.QueueStore.destroy(id));

/** Drops every message that waits. */
export async function purgeQueue(
  context: ActingContext,
  { id, name }: Queue,
): Promise<Result<void, DomainError>> {
  const purged = await askStore("The queue", { idempotent: true }, () =>
    context.stores.QueueStore.purge(id),
  );
  if (!purged.ok) return purged;
  const entry = auditEntry(context, "queue.purge", `queue:${id}`, { queue: name });
  await writeAudit(context.db, context.accountId, entry);
  return ok(undefined);
}

/**
 * What is recorded about the queue becomes what it does. If it cannot be told now, what was asked for is recorded all
 * the same, and asking again makes it so.
 */
export async function tellQueue(
  context: Pick<ControlContext, "db" | "accountId" | "stores">,
  { id, name, settings }: Queue,
): Promise<Result<void, DomainError>> {
  const { db, accountId } = context;
  const [consumer] = await findConsumers(db, [id]);
  const deadLetters = consumer?.deadLetterQueue
    ? await findQueue(db, accountId, { name: consumer.deadLetterQueue })
    : null;
  const config: QueueConfig = {
    id,
    name,
    settings,
    consumer: consumer
      ? {
          workerId: consumer.workerId,
          settings: consumerSettings(consumer.settings),
          deadLetterQueueId: deadLetters?.id ?? null,
        }
      : null,
  };
  return askStore("The queue", { idempotent: true }, () =>
    context.stores.QueueStore.configure(id, config),
  );
}

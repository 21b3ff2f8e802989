/** Tables of what versions are bound to. A deleted resource stays as a row, so that history can name it; its name is free again. */
import { sql } from "drizzle-orm";
import {
  check,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import { accounts, versions, workers } from "./schema.ts";

export const kvNamespaces = sqliteTable(
  "kv_namespaces",
  {
    /** 32 hex digits. */
    id: text("id").primaryKey(),
    accountId: text("account_id")
      .notNull()
      .references(() => accounts.id),
    title: text("title").notNull(),
    createdOn: integer("created_on").notNull(),
    deletedOn: integer("deleted_on"),
  },
  (t) => [
    uniqueIndex("kv_namespaces_title_live")
      .on(t.accountId, t.title)
      .where(sql`deleted_on IS NULL`),
    check("kv_namespaces_id_hex", sql`length(${t.id}) = 32`),
  ],
);

export const r2Buckets = sqliteTable(
  "r2_buckets",
  {
    /** Its objects are stored under this number; never used again. */
    ordinal: integer("ordinal").primaryKey({ autoIncrement: true }),
    accountId: text("account_id")
      .notNull()
      .references(() => accounts.id),
    name: text("name").notNull(),
    createdOn: integer("created_on").notNull(),
    deletedOn: integer("deleted_on"),
    storageClass: text("storage_class").notNull(),
    /** `default`, or a jurisdiction that was asked for: kept and told, without effect. */
    jurisdiction: text("jurisdiction").notNull(),
    /** As asked for: kept and told, without effect. */
    location: text("location"),
  },
  (t) => [
    uniqueIndex("r2_buckets_name_live")
      .on(t.accountId, t.name)
      .where(sql`deleted_on IS NULL`),
  ],
);

export const d1Databases = sqliteTable(
  "d1_databases",
  {
    /** UUID. */
    id: text("id").primaryKey(),
    accountId: text("account_id")
      .notNull()
      .references(() => accounts.id),
    name: text("name").notNull(),
    createdOn: integer("created_on").notNull(),
    deletedOn: integer("deleted_on"),
    /** JSON object: what else was asked for (location hint, jurisdiction, read replication), kept and told, without effect. */
    settings: text("settings").notNull(),
  },
  (t) => [
    uniqueIndex("d1_databases_name_live")
      .on(t.accountId, t.name)
      .where(sql`deleted_on IS NULL`),
  ],
);

export const queues = sqliteTable(
  "queues",
  {
    /** 32 hex digits. */
    id: text("id").primaryKey(),
    accountId: text("account_id")
      .notNull()
      .references(() => accounts.id),
    name: text("name").notNull(),
    createdOn: integer("created_on").notNull(),
    modifiedOn: integer("modified_on").notNull(),
    deletedOn: integer("deleted_on"),
    /** JSON object: delivery_delay, delivery_paused, message_retention_period. */
    settings: text("settings").notNull(),
  },
  (t) => [
    uniqueIndex("queues_name_live")
      .on(t.accountId, t.name)
      .where(sql`deleted_on IS NULL`),
    check("queues_id_hex", sql`length(${t.id}) = 32`),
  ],
);

/** Workers that messages are brought to; a queue has at most one. */
export const queueConsumers = sqliteTable(
  "queue_consumers",
  {
    /** 32 hex digits. */
    id: text("id").primaryKey(),
    queueId: text("queue_id")
      .notNull()
      .references(() => queues.id),
    workerId: text("worker_id")
      .notNull()
      .references(() => workers.id),
    createdOn: integer("created_on").notNull(),
    modifiedOn: integer("modified_on").notNull(),
    /** Name of the queue for what cannot be delivered; null for none. */
    deadLetterQueue: text("dead_letter_queue"),
    /** JSON object: batch_size, max_retries, max_wait_time_ms, max_concurrency, retry_delay. */
    settings: text("settings").notNull(),
  },
  (t) => [
    uniqueIndex("queue_consumers_queue").on(t.queueId),
    index("queue_consumers_worker").on(t.workerId),
  ],
);

export const schedules = sqliteTable(
  "schedules",
  {
    workerId: text("worker_id")
      .notNull()
      .references(() => workers.id),
    position: integer("position").notNull(),
    cron: text("cron").notNull(),
    createdOn: integer("created_on").notNull(),
    modifiedOn: integer("modified_on").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workerId, t.cron] }),
    check("schedules_position", sql`${t.position} >= 0`),
  ],
);

/** Durable Object classes that migrations have made. */
export const durableNamespaces = sqliteTable(
  "durable_namespaces",
  {
    /** 32 hex digits; the objects' storage is under it, whatever the class is called or whosever it is. */
    id: text("id").primaryKey(),
    accountId: text("account_id")
      .notNull()
      .references(() => accounts.id),
    /** Whose class it is, and by whose deployment its objects run. */
    workerId: text("worker_id")
      .notNull()
      .references(() => workers.id),
    /** In whose process and directory the objects are: the Worker that made it, whoever it was transferred to. */
    homeWorkerId: text("home_worker_id")
      .notNull()
      .references(() => workers.id),
    /** How often it has been transferred. */
    transfers: integer("transfers").notNull(),
    className: text("class_name").notNull(),
    usesSqlite: integer("uses_sqlite").notNull(),
    createdOn: integer("created_on").notNull(),
    deletedOn: integer("deleted_on"),
  },
  (t) => [
    uniqueIndex("durable_namespaces_class_live")
      .on(t.workerId, t.className)
      .where(sql`deleted_on IS NULL`),
    check("durable_namespaces_id_hex", sql`length(${t.id}) = 32`),
    check("durable_namespaces_sqlite_bool", sql`${t.usesSqlite} IN (0, 1)`),
  ],
);

/** A version's static assets; a version without a row has none. */
export const versionAssets = sqliteTable("version_assets", {
  versionId: text("version_id")
    .primaryKey()
    .references(() => versions.id),
  workerId: text("worker_id")
    .notNull()
    .references(() => workers.id),
  /** Hex SHA-256 of the manifest's JSON, its key in the blob store. */
  manifestSha256: text("manifest_sha256").notNull(),
  files: integer("files").notNull(),
  /** JSON object: html_handling, not_found_handling, run_worker_first, _headers, _redirects. */
  config: text("config").notNull(),
});

/** Which version is bound to what: so that what is in use can be told, and what is gone can be missed. */
export const versionResources = sqliteTable(
  "version_resources",
  {
    versionId: text("version_id")
      .notNull()
      .references(() => versions.id),
    /** Name of the binding. */
    binding: text("binding").notNull(),
    /** `kv_namespace`, `r2_bucket`, `d1`, `queue`, `durable_object_namespace`, `service`. */
    kind: text("kind").notNull(),
    /** Id of the namespace, database or queue; name of the bucket or Worker. */
    resourceId: text("resource_id").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.versionId, t.binding] }),
    index("version_resources_resource").on(t.kind, t.resourceId),
  ],
);

/**
 * Static assets whose bytes are stored, by the hash under which a client announced them. `scope` says who may rely on
 * the hash: everybody who has a file of that extension (`.css`), for hashes that were verified against the bytes; one
 * upload session (its id), for hashes that the client made up in its own way.
 */
export const assetFiles = sqliteTable(
  "asset_files",
  {
    accountId: text("account_id")
      .notNull()
      .references(() => accounts.id),
    scope: text("scope").notNull(),
    /** 32 hex digits. */
    hash: text("hash").notNull(),
    /** Of the bytes, their key in the blob store. */
    sha256: text("sha256").notNull(),
    size: integer("size").notNull(),
    contentType: text("content_type"),
    createdOn: integer("created_on").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.accountId, t.scope, t.hash] }),
    check("asset_files_hash_hex", sql`length(${t.hash}) = 32`),
    check("asset_files_sha256_hex", sql`length(${t.sha256}) = 64`),
  ],
);

/**
 * The tables. Constraints live here and in the migrations (STRICT, CHECK); every id column that is
 * compared with text from outside is text. Times are milliseconds since 1970.
 */
import { sql } from "drizzle-orm";
import {
  check,
  index,
  integer,
  primaryKey,
  real,
  sqliteTable,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";

export const accounts = sqliteTable("accounts", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  createdOn: integer("created_on").notNull(),
});

/** API tokens besides the root token. Only the SHA-256 of a token is ever stored. */
export const tokens = sqliteTable(
  "tokens",
  {
    id: text("id").primaryKey(),
    accountId: text("account_id")
      .notNull()
      .references(() => accounts.id),
    name: text("name").notNull(),
    sha256: text("sha256").notNull(),
    createdOn: integer("created_on").notNull(),
    expiresOn: integer("expires_on"),
    revokedOn: integer("revoked_on"),
  },
  (t) => [
    uniqueIndex("tokens_sha256").on(t.sha256),
    check("tokens_sha256_hex", sql`length(${t.sha256}) = 64`),
  ],
);

/** A deleted Worker stays as a row, so that its history can still be told; its name is free again. */
export const workers = sqliteTable(
  "workers",
  {
    id: text("id").primaryKey(),
    accountId: text("account_id")
      .notNull()
      .references(() => accounts.id),
    name: text("name").notNull(),
    createdOn: integer("created_on").notNull(),
    modifiedOn: integer("modified_on").notNull(),
    deletedOn: integer("deleted_on"),
    /** `<name>.<workers domain>` answers. */
    subdomainEnabled: integer("subdomain_enabled").notNull(),
    previewsEnabled: integer("previews_enabled").notNull(),
    /** JSON object: tags, logpush, observability, tail_consumers … (not versioned). */
    settings: text("settings").notNull(),
    /** Tag of the last Durable Object migration that was applied; null before the first. */
    migrationTag: text("migration_tag"),
  },
  (t) => [
    uniqueIndex("workers_name_live")
      .on(t.accountId, t.name)
      .where(sql`deleted_on IS NULL`),
    check("workers_id_hex", sql`length(${t.id}) = 32`),
    check("workers_subdomain_bool", sql`${t.subdomainEnabled} IN (0, 1)`),
    check("workers_previews_bool", sql`${t.previewsEnabled} IN (0, 1)`),
  ],
);

export const versions = sqliteTable(
  "versions",
  {
    id: text("id").primaryKey(),
    workerId: text("worker_id")
      .notNull()
      .references(() => workers.id),
    number: integer("number").notNull(),
    createdOn: integer("created_on").notNull(),
    authorId: text("author_id").notNull(),
    authorEmail: text("author_email").notNull(),
    source: text("source").notNull(),
    triggeredBy: text("triggered_by").notNull(),
    message: text("message"),
    tag: text("tag"),
    alias: text("alias"),
    /** JSON object: further annotations. */
    annotations: text("annotations").notNull(),
    syntax: text("syntax").notNull(),
    mainModule: text("main_module").notNull(),
    /** JSON array, without secret values. */
    bindings: text("bindings").notNull(),
    compatibilityDate: text("compatibility_date").notNull(),
    /** JSON array. */
    compatibilityFlags: text("compatibility_flags").notNull(),
    /** JSON: { handlers, namedHandlers }. */
    handlers: text("handlers").notNull(),
    startupTimeMs: integer("startup_time_ms").notNull(),
    contentHash: text("content_hash").notNull(),
    /** JSON object. */
    settings: text("settings").notNull(),
    /** Encrypted secret values, see control/secret-box; null when the version has none. */
    sealedSecrets: text("sealed_secrets"),
  },
  (t) => [
    uniqueIndex("versions_number").on(t.workerId, t.number),
    index("versions_alias").on(t.workerId, t.alias, t.number),
    index("versions_tag").on(t.workerId, t.tag),
    // The nearest version that no migration separates from what is deployed.
    index("versions_migration_tag").on(t.workerId, sql`settings ->> '$.durable.tag'`, t.number),
    check("versions_number_positive", sql`${t.number} >= 1`),
    check("versions_triggered_by", sql`${t.triggeredBy} IN ('upload', 'version_upload', 'secret')`),
    check("versions_syntax", sql`${t.syntax} IN ('modules', 'service-worker')`),
  ],
);

export const versionModules = sqliteTable(
  "version_modules",
  {
    versionId: text("version_id")
      .notNull()
      .references(() => versions.id),
    position: integer("position").notNull(),
    name: text("name").notNull(),
    type: text("type").notNull(),
    sha256: text("sha256").notNull(),
    size: integer("size").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.versionId, t.name] }),
    index("version_modules_sha256").on(t.sha256),
    check("version_modules_sha256_hex", sql`length(${t.sha256}) = 64`),
    check("version_modules_size", sql`${t.size} >= 0`),
  ],
);

export const deployments = sqliteTable(
  "deployments",
  {
    id: text("id").primaryKey(),
    workerId: text("worker_id")
      .notNull()
      .references(() => workers.id),
    seq: integer("seq").notNull(),
    /** `committing` until it is visible, then `active`; `aborted` never became visible. */
    status: text("status").notNull(),
    intentId: text("intent_id").notNull(),
    createdOn: integer("created_on").notNull(),
    activatedOn: integer("activated_on"),
    deletedOn: integer("deleted_on"),
    /** JSON, see domain/receipt; null until the deployment is acknowledged. */
    receipt: text("receipt"),
    triggeredBy: text("triggered_by").notNull(),
    message: text("message").notNull(),
    authorId: text("author_id").notNull(),
    authorEmail: text("author_email").notNull(),
    source: text("source").notNull(),
    /** `rollback` or `secret`, where that says more than `triggered_by`; null: it does not. */
    cause: text("cause"),
    /** JSON array: ids of the versions that a rollback left. */
    leftVersions: text("left_versions"),
    /** JSON array: what was to be known and refused nothing, see domain/deployment-warnings. */
    warnings: text("warnings"),
    /** JSON object, by database id: what was applied to the D1 databases in question when this was deployed. */
    d1Migrations: text("d1_migrations"),
  },
  (t) => [
    uniqueIndex("deployments_seq").on(t.workerId, t.seq),
    // What is not visible yet is found without reading the whole past.
    index("deployments_committing")
      .on(t.workerId, t.seq)
      .where(sql`status = 'committing'`),
    check("deployments_seq_positive", sql`${t.seq} >= 1`),
    check("deployments_status", sql`${t.status} IN ('committing', 'active', 'aborted')`),
    check("deployments_triggered_by", sql`${t.triggeredBy} IN ('upload', 'deployment')`),
  ],
);

export const deploymentVersions = sqliteTable(
  "deployment_versions",
  {
    deploymentId: text("deployment_id")
      .notNull()
      .references(() => deployments.id),
    position: integer("position").notNull(),
    versionId: text("version_id")
      .notNull()
      .references(() => versions.id),
    percentage: real("percentage").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.deploymentId, t.versionId] }),
    index("deployment_versions_version").on(t.versionId),
    check("deployment_versions_percentage", sql`${t.percentage} BETWEEN 0 AND 100`),
  ],
);

/** When a version last served: so that a rollback finds its target without reading the history. */
export const lastServed = sqliteTable(
  "last_served",
  {
    versionId: text("version_id")
      .primaryKey()
      .references(() => versions.id),
    workerId: text("worker_id")
      .notNull()
      .references(() => workers.id),
    /** Of the last deployment in which it had a share. */
    seq: integer("seq").notNull(),
    /** Of the last deployment in which it had all; null: it never had. */
    fullSeq: integer("full_seq"),
  },
  (t) => [index("last_served_full").on(t.workerId, t.fullSeq)],
);

/** Secrets whose earlier values must never serve again. */
export const revokedSecrets = sqliteTable(
  "revoked_secrets",
  {
    workerId: text("worker_id")
      .notNull()
      .references(() => workers.id),
    name: text("name").notNull(),
    /** Number of the newest version whose value of it is revoked. */
    throughNumber: integer("through_number").notNull(),
    revokedOn: integer("revoked_on").notNull(),
  },
  (t) => [primaryKey({ columns: [t.workerId, t.name] })],
);

export const zones = sqliteTable(
  "zones",
  {
    id: text("id").primaryKey(),
    accountId: text("account_id")
      .notNull()
      .references(() => accounts.id),
    name: text("name").notNull(),
    createdOn: integer("created_on").notNull(),
  },
  (t) => [uniqueIndex("zones_name").on(t.name)],
);

export const routes = sqliteTable(
  "routes",
  {
    id: text("id").primaryKey(),
    accountId: text("account_id")
      .notNull()
      .references(() => accounts.id),
    zoneId: text("zone_id")
      .notNull()
      .references(() => zones.id),
    pattern: text("pattern").notNull(),
    /** null: no Worker for these requests. */
    workerId: text("worker_id").references(() => workers.id),
    createdOn: integer("created_on").notNull(),
  },
  (t) => [
    uniqueIndex("routes_pattern").on(t.pattern),
    index("routes_worker").on(t.workerId),
    index("routes_zone").on(t.zoneId),
  ],
);

export const domains = sqliteTable(
  "domains",
  {
    id: text("id").primaryKey(),
    accountId: text("account_id")
      .notNull()
      .references(() => accounts.id),
    zoneId: text("zone_id")
      .notNull()
      .references(() => zones.id),
    hostname: text("hostname").notNull(),
    workerId: text("worker_id")
      .notNull()
      .references(() => workers.id),
    enabled: integer("enabled").notNull(),
    previewsEnabled: integer("previews_enabled").notNull(),
    createdOn: integer("created_on").notNull(),
  },
  (t) => [
    uniqueIndex("domains_hostname").on(t.hostname),
    index("domains_worker").on(t.workerId),
    check("domains_enabled_bool", sql`${t.enabled} IN (0, 1)`),
    check("domains_previews_bool", sql`${t.previewsEnabled} IN (0, 1)`),
  ],
);

/**
 * Registers whose history is not kept row by row: how far the tables that they stand for are. `active` proves
 * that what the tables say is visible, and that nothing newer can be.
 */
export const registers = sqliteTable(
  "registers",
  {
    name: text("name").primaryKey(),
    seq: integer("seq").notNull(),
    status: text("status").notNull(),
  },
  (t) => [check("registers_status", sql`${t.status} IN ('committing', 'active')`)],
);

/** Versions that are not run any more: open while the deployment is current and nobody has reset them. */
export const breakers = sqliteTable(
  "breakers",
  {
    id: text("id").primaryKey(),
    workerId: text("worker_id")
      .notNull()
      .references(() => workers.id),
    versionId: text("version_id")
      .notNull()
      .references(() => versions.id),
    /** 0: the Worker had no deployment. */
    deploymentSeq: integer("deployment_seq").notNull(),
    reason: text("reason").notNull(),
    strikes: integer("strikes").notNull(),
    stoppedOn: integer("stopped_on").notNull(),
    resetOn: integer("reset_on"),
    /** The audit's line of the reset. */
    resetId: text("reset_id"),
  },
  (t) => [
    uniqueIndex("breakers_open")
      .on(t.workerId, t.versionId, t.deploymentSeq)
      .where(sql`reset_on IS NULL`),
    check("breakers_deployment_seq", sql`${t.deploymentSeq} >= 0`),
    check("breakers_reason", sql`${t.reason} IN ('blocked', 'crashed', 'memory')`),
    check("breakers_strikes", sql`${t.strikes} >= 1`),
  ],
);

/** What was done, when, by whom. Rows are only ever added. */
export const audit = sqliteTable(
  "audit",
  {
    /** Given by the change itself, so that writing it twice leaves one row. */
    id: text("id").primaryKey(),
    accountId: text("account_id").notNull(),
    at: integer("at").notNull(),
    actorId: text("actor_id").notNull(),
    actorEmail: text("actor_email").notNull(),
    action: text("action").notNull(),
    target: text("target").notNull(),
    /** JSON object: the facts of the change. */
    details: text("details").notNull(),
  },
  (t) => [
    index("audit_target").on(t.accountId, t.target, t.at),
    index("audit_at").on(t.accountId, t.at),
  ],
);

CREATE TABLE `asset_files` (
	`account_id` text NOT NULL,
	`scope` text NOT NULL,
	`hash` text NOT NULL,
	`sha256` text NOT NULL,
	`size` integer NOT NULL,
	`content_type` text,
	`created_on` integer NOT NULL,
	PRIMARY KEY(`account_id`, `scope`, `hash`),
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "asset_files_hash_hex" CHECK(length("asset_files"."hash") = 32),
	CONSTRAINT "asset_files_sha256_hex" CHECK(length("asset_files"."sha256") = 64)
) STRICT;
--> statement-breakpoint
CREATE TABLE `d1_databases` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`name` text NOT NULL,
	`created_on` integer NOT NULL,
	`deleted_on` integer,
	`settings` text NOT NULL,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `d1_databases_name_live` ON `d1_databases` (`account_id`,`name`) WHERE deleted_on IS NULL;--> statement-breakpoint
CREATE TABLE `durable_namespaces` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`worker_id` text NOT NULL,
	`home_worker_id` text NOT NULL,
	`transfers` integer NOT NULL,
	`class_name` text NOT NULL,
	`uses_sqlite` integer NOT NULL,
	`created_on` integer NOT NULL,
	`deleted_on` integer,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`worker_id`) REFERENCES `workers`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`home_worker_id`) REFERENCES `workers`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "durable_namespaces_id_hex" CHECK(length("durable_namespaces"."id") = 32),
	CONSTRAINT "durable_namespaces_sqlite_bool" CHECK("durable_namespaces"."uses_sqlite" IN (0, 1))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `durable_namespaces_class_live` ON `durable_namespaces` (`worker_id`,`class_name`) WHERE deleted_on IS NULL;--> statement-breakpoint
CREATE TABLE `kv_namespaces` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`title` text NOT NULL,
	`created_on` integer NOT NULL,
	`deleted_on` integer,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "kv_namespaces_id_hex" CHECK(length("kv_namespaces"."id") = 32)
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `kv_namespaces_title_live` ON `kv_namespaces` (`account_id`,`title`) WHERE deleted_on IS NULL;--> statement-breakpoint
CREATE TABLE `queue_consumers` (
	`id` text PRIMARY KEY NOT NULL,
	`queue_id` text NOT NULL,
	`worker_id` text NOT NULL,
	`created_on` integer NOT NULL,
	`modified_on` integer NOT NULL,
	`dead_letter_queue` text,
	`settings` text NOT NULL,
	FOREIGN KEY (`queue_id`) REFERENCES `queues`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`worker_id`) REFERENCES `workers`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `queue_consumers_queue` ON `queue_consumers` (`queue_id`);--> statement-breakpoint
CREATE INDEX `queue_consumers_worker` ON `queue_consumers` (`worker_id`);--> statement-breakpoint
CREATE TABLE `queues` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`name` text NOT NULL,
	`created_on` integer NOT NULL,
	`modified_on` integer NOT NULL,
	`deleted_on` integer,
	`settings` text NOT NULL,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "queues_id_hex" CHECK(length("queues"."id") = 32)
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `queues_name_live` ON `queues` (`account_id`,`name`) WHERE deleted_on IS NULL;--> statement-breakpoint
CREATE TABLE `r2_buckets` (
	`ordinal` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`account_id` text NOT NULL,
	`name` text NOT NULL,
	`created_on` integer NOT NULL,
	`deleted_on` integer,
	`storage_class` text NOT NULL,
	`jurisdiction` text NOT NULL,
	`location` text,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `r2_buckets_name_live` ON `r2_buckets` (`account_id`,`name`) WHERE deleted_on IS NULL;--> statement-breakpoint
CREATE TABLE `schedules` (
	`worker_id` text NOT NULL,
	`position` integer NOT NULL,
	`cron` text NOT NULL,
	`created_on` integer NOT NULL,
	`modified_on` integer NOT NULL,
	PRIMARY KEY(`worker_id`, `cron`),
	FOREIGN KEY (`worker_id`) REFERENCES `workers`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "schedules_position" CHECK("schedules"."position" >= 0)
) STRICT;
--> statement-breakpoint
CREATE TABLE `version_assets` (
	`version_id` text PRIMARY KEY NOT NULL,
	`worker_id` text NOT NULL,
	`manifest_sha256` text NOT NULL,
	`files` integer NOT NULL,
	`config` text NOT NULL,
	FOREIGN KEY (`version_id`) REFERENCES `versions`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`worker_id`) REFERENCES `workers`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE TABLE `version_resources` (
	`version_id` text NOT NULL,
	`binding` text NOT NULL,
	`kind` text NOT NULL,
	`resource_id` text NOT NULL,
	PRIMARY KEY(`version_id`, `binding`),
	FOREIGN KEY (`version_id`) REFERENCES `versions`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `version_resources_resource` ON `version_resources` (`kind`,`resource_id`);--> statement-breakpoint
ALTER TABLE `workers` ADD `migration_tag` text;
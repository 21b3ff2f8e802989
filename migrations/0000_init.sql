CREATE TABLE `accounts` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`created_on` integer NOT NULL
) STRICT;
--> statement-breakpoint
CREATE TABLE `audit` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`at` integer NOT NULL,
	`actor_id` text NOT NULL,
	`actor_email` text NOT NULL,
	`action` text NOT NULL,
	`target` text NOT NULL,
	`details` text NOT NULL
) STRICT;
--> statement-breakpoint
CREATE INDEX `audit_target` ON `audit` (`account_id`,`target`,`at`);--> statement-breakpoint
CREATE INDEX `audit_at` ON `audit` (`account_id`,`at`);--> statement-breakpoint
CREATE TABLE `deployment_versions` (
	`deployment_id` text NOT NULL,
	`position` integer NOT NULL,
	`version_id` text NOT NULL,
	`percentage` real NOT NULL,
	PRIMARY KEY(`deployment_id`, `version_id`),
	FOREIGN KEY (`deployment_id`) REFERENCES `deployments`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`version_id`) REFERENCES `versions`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "deployment_versions_percentage" CHECK("deployment_versions"."percentage" BETWEEN 0 AND 100)
) STRICT;
--> statement-breakpoint
CREATE INDEX `deployment_versions_version` ON `deployment_versions` (`version_id`);--> statement-breakpoint
CREATE TABLE `deployments` (
	`id` text PRIMARY KEY NOT NULL,
	`worker_id` text NOT NULL,
	`seq` integer NOT NULL,
	`status` text NOT NULL,
	`intent_id` text NOT NULL,
	`created_on` integer NOT NULL,
	`activated_on` integer,
	`deleted_on` integer,
	`triggered_by` text NOT NULL,
	`message` text NOT NULL,
	`author_id` text NOT NULL,
	`author_email` text NOT NULL,
	`source` text NOT NULL,
	FOREIGN KEY (`worker_id`) REFERENCES `workers`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "deployments_seq_positive" CHECK("deployments"."seq" >= 1),
	CONSTRAINT "deployments_status" CHECK("deployments"."status" IN ('committing', 'active', 'aborted')),
	CONSTRAINT "deployments_triggered_by" CHECK("deployments"."triggered_by" IN ('upload', 'deployment'))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `deployments_seq` ON `deployments` (`worker_id`,`seq`);--> statement-breakpoint
CREATE TABLE `domains` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`zone_id` text NOT NULL,
	`hostname` text NOT NULL,
	`worker_id` text NOT NULL,
	`enabled` integer NOT NULL,
	`previews_enabled` integer NOT NULL,
	`created_on` integer NOT NULL,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`zone_id`) REFERENCES `zones`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`worker_id`) REFERENCES `workers`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "domains_enabled_bool" CHECK("domains"."enabled" IN (0, 1)),
	CONSTRAINT "domains_previews_bool" CHECK("domains"."previews_enabled" IN (0, 1))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `domains_hostname` ON `domains` (`hostname`);--> statement-breakpoint
CREATE INDEX `domains_worker` ON `domains` (`worker_id`);--> statement-breakpoint
CREATE TABLE `routes` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`zone_id` text NOT NULL,
	`pattern` text NOT NULL,
	`worker_id` text,
	`created_on` integer NOT NULL,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`zone_id`) REFERENCES `zones`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`worker_id`) REFERENCES `workers`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `routes_pattern` ON `routes` (`pattern`);--> statement-breakpoint
CREATE INDEX `routes_worker` ON `routes` (`worker_id`);--> statement-breakpoint
CREATE INDEX `routes_zone` ON `routes` (`zone_id`);--> statement-breakpoint
CREATE TABLE `tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`name` text NOT NULL,
	`sha256` text NOT NULL,
	`created_on` integer NOT NULL,
	`expires_on` integer,
	`revoked_on` integer,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "tokens_sha256_hex" CHECK(length("tokens"."sha256") = 64)
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_sha256` ON `tokens` (`sha256`);--> statement-breakpoint
CREATE TABLE `version_modules` (
	`version_id` text NOT NULL,
	`position` integer NOT NULL,
	`name` text NOT NULL,
	`type` text NOT NULL,
	`sha256` text NOT NULL,
	`size` integer NOT NULL,
	PRIMARY KEY(`version_id`, `name`),
	FOREIGN KEY (`version_id`) REFERENCES `versions`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "version_modules_sha256_hex" CHECK(length("version_modules"."sha256") = 64),
	CONSTRAINT "version_modules_size" CHECK("version_modules"."size" >= 0)
) STRICT;
--> statement-breakpoint
CREATE INDEX `version_modules_sha256` ON `version_modules` (`sha256`);--> statement-breakpoint
CREATE TABLE `versions` (
	`id` text PRIMARY KEY NOT NULL,
	`worker_id` text NOT NULL,
	`number` integer NOT NULL,
	`created_on` integer NOT NULL,
	`author_id` text NOT NULL,
	`author_email` text NOT NULL,
	`source` text NOT NULL,
	`triggered_by` text NOT NULL,
	`message` text,
	`tag` text,
	`alias` text,
	`annotations` text NOT NULL,
	`syntax` text NOT NULL,
	`main_module` text NOT NULL,
	`bindings` text NOT NULL,
	`compatibility_date` text NOT NULL,
	`compatibility_flags` text NOT NULL,
	`handlers` text NOT NULL,
	`startup_time_ms` integer NOT NULL,
	`content_hash` text NOT NULL,
	`settings` text NOT NULL,
	`sealed_secrets` text,
	FOREIGN KEY (`worker_id`) REFERENCES `workers`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "versions_number_positive" CHECK("versions"."number" >= 1),
	CONSTRAINT "versions_triggered_by" CHECK("versions"."triggered_by" IN ('upload', 'version_upload', 'secret')),
	CONSTRAINT "versions_syntax" CHECK("versions"."syntax" IN ('modules', 'service-worker'))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `versions_number` ON `versions` (`worker_id`,`number`);--> statement-breakpoint
CREATE INDEX `versions_alias` ON `versions` (`worker_id`,`alias`,`number`);--> statement-breakpoint
CREATE INDEX `versions_tag` ON `versions` (`worker_id`,`tag`);--> statement-breakpoint
CREATE TABLE `workers` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`name` text NOT NULL,
	`created_on` integer NOT NULL,
	`modified_on` integer NOT NULL,
	`deleted_on` integer,
	`subdomain_enabled` integer NOT NULL,
	`previews_enabled` integer NOT NULL,
	`settings` text NOT NULL,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "workers_id_hex" CHECK(length("workers"."id") = 32),
	CONSTRAINT "workers_subdomain_bool" CHECK("workers"."subdomain_enabled" IN (0, 1)),
	CONSTRAINT "workers_previews_bool" CHECK("workers"."previews_enabled" IN (0, 1))
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `workers_name_live` ON `workers` (`account_id`,`name`) WHERE deleted_on IS NULL;--> statement-breakpoint
CREATE TABLE `zones` (
	`id` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`name` text NOT NULL,
	`created_on` integer NOT NULL,
	FOREIGN KEY (`account_id`) REFERENCES `accounts`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `zones_name` ON `zones` (`name`);
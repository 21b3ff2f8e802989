CREATE TABLE `breakers` (
	`id` text PRIMARY KEY NOT NULL,
	`worker_id` text NOT NULL,
	`version_id` text NOT NULL,
	`deployment_seq` integer NOT NULL,
	`reason` text NOT NULL,
	`strikes` integer NOT NULL,
	`stopped_on` integer NOT NULL,
	`reset_on` integer,
	`reset_id` text,
	FOREIGN KEY (`worker_id`) REFERENCES `workers`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`version_id`) REFERENCES `versions`(`id`) ON UPDATE no action ON DELETE no action,
	CONSTRAINT "breakers_deployment_seq" CHECK("breakers"."deployment_seq" >= 0),
	CONSTRAINT "breakers_reason" CHECK("breakers"."reason" IN ('blocked', 'crashed', 'memory')),
	CONSTRAINT "breakers_strikes" CHECK("breakers"."strikes" >= 1)
) STRICT;
--> statement-breakpoint
CREATE UNIQUE INDEX `breakers_open` ON `breakers` (`worker_id`,`version_id`,`deployment_seq`) WHERE reset_on IS NULL;--> statement-breakpoint
DROP TABLE `start_checks`;

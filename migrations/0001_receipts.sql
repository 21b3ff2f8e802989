CREATE TABLE `registers` (
	`name` text PRIMARY KEY NOT NULL,
	`seq` integer NOT NULL,
	`status` text NOT NULL,
	CONSTRAINT "registers_status" CHECK("registers"."status" IN ('committing', 'active'))
) STRICT;
--> statement-breakpoint
ALTER TABLE `deployments` ADD `receipt` text;
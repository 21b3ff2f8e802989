CREATE TABLE `start_checks` (
	`id` text PRIMARY KEY NOT NULL,
	`content_hash` text NOT NULL,
	`instance_id` text NOT NULL,
	`started_on` integer NOT NULL,
	CONSTRAINT "start_checks_hash" CHECK(length("start_checks"."content_hash") = 64)
) STRICT;
--> statement-breakpoint
CREATE INDEX `start_checks_content` ON `start_checks` (`content_hash`);
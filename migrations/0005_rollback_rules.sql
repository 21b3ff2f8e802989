CREATE TABLE `last_served` (
	`version_id` text PRIMARY KEY NOT NULL,
	`worker_id` text NOT NULL,
	`seq` integer NOT NULL,
	`full_seq` integer,
	FOREIGN KEY (`version_id`) REFERENCES `versions`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`worker_id`) REFERENCES `workers`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
CREATE INDEX `last_served_full` ON `last_served` (`worker_id`,`full_seq`);--> statement-breakpoint
CREATE TABLE `revoked_secrets` (
	`worker_id` text NOT NULL,
	`name` text NOT NULL,
	`through_number` integer NOT NULL,
	`revoked_on` integer NOT NULL,
	PRIMARY KEY(`worker_id`, `name`),
	FOREIGN KEY (`worker_id`) REFERENCES `workers`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
ALTER TABLE `deployments` ADD `cause` text;--> statement-breakpoint
ALTER TABLE `deployments` ADD `left_versions` text;--> statement-breakpoint
ALTER TABLE `deployments` ADD `warnings` text;--> statement-breakpoint
ALTER TABLE `deployments` ADD `d1_migrations` text;--> statement-breakpoint
CREATE INDEX `deployments_committing` ON `deployments` (`worker_id`,`seq`) WHERE status = 'committing';--> statement-breakpoint
CREATE INDEX `versions_migration_tag` ON `versions` (`worker_id`,settings ->> '$.durable.tag',`number`);--> statement-breakpoint
-- Of what was deployed before there was this table; a little less than 100 is all, see PERCENTAGE_SUM_TOLERANCE.
INSERT INTO `last_served`
SELECT shares.version_id, deployments.worker_id, max(deployments.seq),
	max(CASE WHEN shares.percentage >= 99.999 THEN deployments.seq END)
FROM deployments JOIN deployment_versions AS shares ON shares.deployment_id = deployments.id
WHERE deployments.status = 'active' AND shares.percentage > 0
GROUP BY shares.version_id;

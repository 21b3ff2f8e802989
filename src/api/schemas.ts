/** Shapes that several routes read. Unknown fields are ignored: clients send more than anyone needs. */
import * as z from "zod";
import {
  DOMAINS_PER_CALL_MAX,
  HOSTNAME_CHARS_MAX,
  ID_CHARS_MAX,
  ROUTE_PATTERN_CHARS_MAX,
  SETTINGS_BYTES_MAX,
} from "../domain/limits.ts";

const zone = {
  zone_id: z.string().max(ID_CHARS_MAX).optional(),
  zone_name: z.string().min(1).max(HOSTNAME_CHARS_MAX).optional(),
};

/** The settings that no version carries. */
const scriptSettingsFields = z.object({
  logpush: z.boolean().nullish(),
  observability: z.record(z.string(), z.unknown()).nullish(),
  tags: z.array(z.string()).nullish(),
  tail_consumers: z.array(z.looseObject({ service: z.string() })).nullish(),
});

const isWithinSize = (value: unknown): boolean =>
  new TextEncoder().encode(JSON.stringify(value)).byteLength <= SETTINGS_BYTES_MAX;
const TOO_LARGE = `The settings are larger than ${SETTINGS_BYTES_MAX} bytes.`;

export const scriptSettings = scriptSettingsFields.refine(isWithinSize, TOO_LARGE);

export const betaWorker = scriptSettingsFields
  .extend({
    name: z.string().optional(),
    subdomain: z
      .object({ enabled: z.boolean().optional(), previews_enabled: z.boolean().optional() })
      .optional(),
  })
  .refine(isWithinSize, TOO_LARGE);

/** Only what was given, so that a missing setting keeps its value; null takes it back to the default. */
export function toSettings(
  given: z.output<typeof scriptSettingsFields>,
): Readonly<Record<string, unknown>> {
  const { logpush, observability, tags, tail_consumers } = given;
  const fields = Object.entries({ logpush, observability, tags, tail_consumers });
  return Object.fromEntries(fields.filter(([, value]) => value !== undefined));
}

const route = z.object({
  pattern: z.string().max(ROUTE_PATTERN_CHARS_MAX),
  ...zone,
});

/** `PUT …/routes`: patterns by themselves, or with their zone. */
export const routeList = z.array(
  z.union([
    z
      .string()
      .max(ROUTE_PATTERN_CHARS_MAX)
      .transform((pattern) => ({ pattern })),
    route,
  ]),
);

export const zoneRoute = z.object({
  pattern: z.string().max(ROUTE_PATTERN_CHARS_MAX),
  script: z.string().nullish(),
});

export const zoneName = z.object({
  name: z
    .string()
    .max(HOSTNAME_CHARS_MAX)
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/i, "It has to be a host name such as example.com.")
    .transform((name) => name.toLowerCase()),
});

const domain = z.object({
  hostname: z.string().min(1).max(HOSTNAME_CHARS_MAX),
  enabled: z.boolean().optional(),
  previews_enabled: z.boolean().optional(),
  ...zone,
});

export const domainList = z.array(domain).max(DOMAINS_PER_CALL_MAX);

export const domainRecords = z.object({
  override_scope: z.boolean().default(false),
  override_existing_origin: z.boolean().default(false),
  origins: domainList,
});

export const accountDomain = domain.extend({
  service: z.string(),
  environment: z.literal("production", "A Worker has the one environment production.").optional(),
});

/** From the wire's names to the domain's; what is missing stays missing. */
export const toDomainRequest = (given: z.output<typeof domain>) => ({
  hostname: given.hostname,
  ...toZoneRequest(given),
  ...(given.enabled === undefined ? {} : { enabled: given.enabled }),
  ...(given.previews_enabled === undefined ? {} : { previewsEnabled: given.previews_enabled }),
});

export const toRouteRequest = (given: z.output<typeof route>) => ({
  pattern: given.pattern,
  ...toZoneRequest(given),
});

const toZoneRequest = (given: {
  zone_id?: string | undefined;
  zone_name?: string | undefined;
}) => ({
  ...(given.zone_id === undefined ? {} : { zoneId: given.zone_id }),
  ...(given.zone_name === undefined ? {} : { zoneName: given.zone_name }),
});

/** The Workers' own hosts as URLs, with the scheme and port by which clients reach them. */
import type { ApiConfig } from "../api-env.ts";

export const workerUrl = (config: ApiConfig, name: string): string =>
  `${config.publicScheme}://${name}.${authority(config)}`;

export const previewUrl = (config: ApiConfig, name: string, label: string): string =>
  `${config.publicScheme}://${label}${previewUrlSuffix(config, name)}`;

/** What comes after a version's first eight digits or an alias. */
export const previewUrlSuffix = (config: ApiConfig, name: string): string =>
  `-${name}.${authority(config)}`;

function authority({ workersDomain, publicScheme, publicPort }: ApiConfig): string {
  const isDefault = publicPort === "" || publicPort === (publicScheme === "https" ? "443" : "80");
  return isDefault ? workersDomain : `${workersDomain}:${publicPort}`;
}

/** What Cloudflare calls the account's subdomain: `acme` of `acme.workers.example`. */
export const accountSubdomain = ({ workersDomain }: ApiConfig): string =>
  workersDomain.split(".")[0] ?? workersDomain;

/** What the API says is the case; tests compare it with the traffic. */
import type { TestHost } from "./test-host.ts";

export interface DeploymentState {
  readonly id: string;
  readonly created_on: string;
  readonly source: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly versions: readonly { version_id: string; percentage: number }[];
}

export interface VersionState {
  readonly id: string;
  readonly number: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Up to the last 100 deployments of a Worker, newest first. */
export async function deploymentsOf(host: TestHost, worker: string): Promise<DeploymentState[]> {
  const answer = await host.api(`A/workers/scripts/${worker}/deployments?per_page=100`);
  if (!answer.success) throw new Error(JSON.stringify(answer.errors));
  return answer.result.deployments;
}

/** Up to the last 100 versions of a Worker, newest first. */
export async function versionsOf(host: TestHost, worker: string): Promise<VersionState[]> {
  const answer = await host.api(`A/workers/scripts/${worker}/versions?per_page=100`);
  if (!answer.success) throw new Error(JSON.stringify(answer.errors));
  return answer.result.items;
}

/** Everything of a Worker that a refused change could have touched. */
export async function stateOf(host: TestHost, worker: string): Promise<unknown> {
  const paths = ["versions?per_page=100", "deployments?per_page=100", "settings", "routes"];
  const answers = await Promise.all(
    paths.map((path) => host.api(`A/workers/scripts/${worker}/${path}`)),
  );
  return answers.map(({ status, result }) => ({ status, result }));
}

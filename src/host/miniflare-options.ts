/** What every process has that Miniflare runs for a host. */
import { join } from "node:path";

/** Miniflare puts ":<port>" behind every host, and it keeps its word: the path of a socket ends like that too. */
export const SOCKET_SUFFIX = ":0";

/** A socket of Miniflare's at which an entrypoint is asked: the default one unless it is named. */
export const directSocket = (socketPath: string, entrypoint?: string) => ({
  host: hostOf(socketPath),
  port: 0,
  ...(entrypoint === undefined ? {} : { entrypoint }),
});

function hostOf(socketPath: string): string {
  if (!socketPath.endsWith(SOCKET_SUFFIX))
    throw new Error(`${socketPath} has to end with ${SOCKET_SUFFIX}`);
  return `unix:${socketPath.slice(0, -SOCKET_SUFFIX.length)}`;
}

export function shared(storage: string) {
  return {
    // Miniflare's own door. Nothing uses it but Miniflare; it stays on loopback, on a free port.
    host: "127.0.0.1",
    port: 0,
    cf: false as const,
    logRequests: false,
    // The runtime inherits the environment otherwise; it needs only the token's hash.
    unsafeRuntimeEnv: { SWITCHBACK_ROOT_TOKEN: "" },
    resourcePersistencePath: storage,
    resourceTmpPath: join(storage, "tmp"),
  };
}

/** Which migrations D1 databases have, just before something is deployed. */
import type { D1Applied, D1AppliedById } from "../domain/d1-applied.ts";
import {
  D1_LOOK_DATABASES_MAX,
  D1_LOOK_MS_MAX,
  D1_LOOK_NAME_CHARS_MAX,
} from "../domain/limits-d1.ts";
import { findBoundD1 } from "../store/warned-versions.ts";
import type { ControlContext } from "./context.ts";

/** wrangler's table, unless a project names another. Anyone may write into it: what is kept of a name is bounded. */
const APPLIED = `SELECT count(*) AS count, (SELECT substr(name, 1, ${D1_LOOK_NAME_CHARS_MAX}) FROM d1_migrations ORDER BY id DESC LIMIT 1) AS last FROM d1_migrations`;
const NONE: D1Applied = { count: 0, last: null };

/** Of the databases that these versions are bound to, those that answered in time. Never throws: nothing is refused for it. */
export async function lookAtD1(
  context: Pick<ControlContext, "db" | "stores">,
  versionIds: readonly string[],
): Promise<D1AppliedById> {
  const ids = await findBoundD1(context.db, versionIds, D1_LOOK_DATABASES_MAX).catch(() => []);
  if (ids.length === 0) return {};
  const { promise: late, resolve } = Promise.withResolvers<null>();
  const timer = setTimeout(() => resolve(null), D1_LOOK_MS_MAX);
  const looked = await Promise.all(
    ids.map(async (id) => [id, await Promise.race([look(context, id), late])] as const),
  );
  clearTimeout(timer);
  return Object.fromEntries(
    looked.filter((each): each is readonly [string, D1Applied] => each[1] !== null),
  );
}

async function look(
  { stores }: Pick<ControlContext, "stores">,
  id: string,
): Promise<D1Applied | null> {
  try {
    const queries = [{ sql: APPLIED, params: [] }];
    const answer = await stores.D1Store.query(id, { queries, session: false });
    if (!answer.ok) return answer.error.includes("no such table: d1_migrations") ? NONE : null;
    const [[count, last] = []] = answer.results[0]?.rows ?? [];
    return { count: Number(count ?? 0), last: typeof last === "string" ? last : null };
  } catch {
    return null;
  }
}

/** D1 databases behind their door. */
import { env, exports } from "cloudflare:workers";
import { storeOf } from "../../../src/data/stores.ts";
import type { D1Answer, D1Value } from "../../../src/domain/d1.ts";

export const store = storeOf(env, { exports }, "D1Store");
export const newId = () => crypto.randomUUID();

/** As if it were a small one: in one transaction. */
export const importSql = (
  id: string,
  importId: string,
  file: ReadableStream<Uint8Array>,
  bytes = 1,
) => store.importSql(id, importId, file, bytes);

export const run = (id: string, ...statements: string[]): Promise<D1Answer> =>
  store.query(id, { queries: statements.map((sql) => ({ sql, params: [] })), session: false });

export async function rows(id: string, sql: string): Promise<readonly (readonly D1Value[])[]> {
  const answer = await run(id, sql);
  if (!answer.ok) throw new Error(answer.error);
  return answer.results[0]?.rows ?? [];
}

/** In pieces that fall anywhere. */
export function streamOf(text: string, pieceBytes = 7): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  let at = 0;
  return new ReadableStream({
    type: "bytes",
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.slice(at, at + pieceBytes));
      at += pieceBytes;
    },
  });
}

export async function dumpOf(id: string, options = {}): Promise<string> {
  const dump = await store.dump(id, { noSchema: false, noData: false, tables: [], ...options });
  if (!dump.ok) throw new Error(dump.error);
  return new Response(dump.sql).text();
}

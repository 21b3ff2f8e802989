/** The storage of a class that was made by `new_classes`: what only SQLite-backed classes have is refused, as on Cloudflare. */
const { defineProperty } = Object;

const NO_SQL =
  "SQL is not enabled for this Durable Object class. To enable it, change `new_classes` to `new_sqlite_classes` within the 'migrations' field in your wrangler.jsonc or wrangler.toml file. If using workerd directly,set `enableSql = true` in your workerd config for the class. Note that this change cannot be made after the class is already deployed to production.";
const NO_KV =
  "The storage.kv (synchronous KV) API is only available for SQLite-backed Durable Objects, but this object's namespace is not declared to use SQLite. You can use the older, asyncronous interface via methods of `storage` itself (e.g. `storage.get()`). Alternatively, to enable SQLite, change `new_classes` to `new_sqlite_classes` within the 'migrations' field in your wrangler.jsonc or wrangler.toml file. If using workerd directly, set `enableSql = true` in your workerd config for the class. Note that this change cannot be made after the class is already deployed to production.";

export function withoutSqlite(storage: object): void {
  refuse(storage, "sql", "SqlStorage", NO_SQL);
  refuse(storage, "kv", "SyncKvStorage", NO_KV);
}

/** Using it throws, looking at it does not. */
function refuse(storage: object, name: string, tag: string, message: string): void {
  const value = new Proxy(
    { [Symbol.toStringTag]: tag },
    {
      get(target, key) {
        if (key === "then") return undefined;
        if (typeof key === "symbol" || key in target) return Reflect.get(target, key) as unknown;
        return () => {
          throw new Error(message);
        };
      },
    },
  );
  defineProperty(storage, name, { value, enumerable: true, configurable: true, writable: false });
}

/** Limits of D1 databases. "Cloudflare" means that the number is the platform's own. */

/** One SQL statement, in UTF-8 bytes. Cloudflare, and the runtime's SQLite: it refuses longer ones by itself. */
export const D1_SQL_BYTES_MAX = 100_000;
/** Bound parameters of one statement. Cloudflare, and the runtime's SQLite. */
export const D1_PARAMETERS_MAX = 100;
/** One bound value, in bytes (text in UTF-8). Cloudflare, for any value of a row. */
export const D1_VALUE_BYTES_MAX = 2_000_000;
/** Statements of one call: they run as one transaction, and nothing else runs in the database meanwhile. Ten times what a Worker may ask for in one request on Cloudflare. */
export const D1_STATEMENTS_MAX = 10_000;
/** Rows that one call may give, in bytes; text counts two for each character. A message between processes has at most 32 MiB. */
export const D1_RESULT_BYTES_MAX = 28 * 1024 * 1024;
/** A query that is lost after more than this, in milliseconds, may be what its process was lost for: it is not run again. */
export const D1_RETRY_MS_MAX = 500;
/** A database, in bytes. Cloudflare. */
export const D1_DATABASE_BYTES_MAX = 10_000_000_000;
/** Databases of the account. Cloudflare. */
export const D1_DATABASES_MAX = 50_000;
/** A database's name, in characters: wrangler makes them of a Worker's name and a binding's, 63 and 128 of them. */
export const D1_NAME_CHARS_MAX = 200;
/** Databases on a page unless asked otherwise. Cloudflare. */
export const D1_DATABASES_PAGE_DEFAULT = 100;
/** The largest page of databases: wrangler asks for so many when it looks for one to bind. */
export const D1_DATABASES_PAGE_MAX = 1_000;
/** JSON body of a query by the API: a migration of many statements comes as one. */
export const D1_QUERY_BODY_BYTES_MAX = 10 * 1024 * 1024;
/** Tables that an export may name: as many as anyone would type. */
export const D1_EXPORT_TABLES_MAX = 1_000;

/** A file of SQL to import, in bytes. Cloudflare. */
export const D1_IMPORT_BYTES_MAX = 5_000_000_000;
/** A larger file is imported in steps if the database is empty, in bytes: it takes some five seconds, and one transaction has 30. */
export const D1_IMPORT_WHOLE_BYTES_MAX = 16_000_000;
/** How long an import in one transaction may take, in milliseconds: the runtime ends one that is open for 30 s. */
export const D1_IMPORT_MS_MAX = 25_000;
/** Text that an import runs at a time, in characters: some two thousand statements, a few hundredths of a second. */
export const D1_IMPORT_CHUNK_CHARS = 128 * 1024;
/** How long a link to upload or download a file is good for, in milliseconds. Cloudflare's is an hour. */
export const D1_LINK_MS = 3_600_000;
/** How long a file that somebody has uploaded or exported is kept, in milliseconds: no link to it is good any more. */
export const D1_FILE_KEEP_MS = 24 * 3_600_000;
/** Files that are looked at, and deleted when they are old, at a time: as many as R2 lists at once. */
export const D1_FILES_SWEPT_MAX = 1_000;
/** How long the answer to a question about an import or export waits for its end, in milliseconds: clients ask again at once. */
export const D1_POLL_MS_MAX = 5_000;
/** Between two looks at it meanwhile, in milliseconds. */
export const D1_POLL_PAUSE_MS = 100;
/** How long an export's file may not be there although nobody writes it, in milliseconds: its last part is being stored. */
export const D1_FILE_SETTLE_MS = 3_000;
/** An export is stored in parts of this many bytes: R2 takes no less than 5 MiB. */
export const D1_EXPORT_PART_BYTES = 8 * 1024 * 1024;
/** Text that an export hands over at a time, in bytes. */
export const D1_EXPORT_CHUNK_BYTES = 64 * 1024;
/** An export that nobody reads on for this long has been given up, in milliseconds: the database must not wait for it for ever. */
export const D1_EXPORT_IDLE_MS_MAX = 60_000;
/** How long a deployment waits to see which migrations databases have, in milliseconds: a rollback at night does not wait for a database that is stuck. */
export const D1_LOOK_MS_MAX = 500;
/** Databases that are looked at for one deployment. */
export const D1_LOOK_DATABASES_MAX = 16;
/** What is kept of the name of a migration, in characters: a file's name has no more. */
export const D1_LOOK_NAME_CHARS_MAX = 255;

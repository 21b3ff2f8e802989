import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { HostProcess, read, startedHost, temporaryDirectory } from "./host-process.ts";

const INIT = fileURLToPath(new URL("fixture-migrations/0000_init.sql", import.meta.url));

function migrations(extra: Record<string, string> = {}): Record<string, string> {
  const directory = temporaryDirectory();
  copyFileSync(INIT, join(directory, "0000_init.sql"));
  for (const [name, sql] of Object.entries(extra)) writeFileSync(join(directory, name), sql);
  return { FIXTURE_MIGRATIONS: directory };
}

async function refusal(data: string, env: Record<string, string>) {
  const host = new HostProcess(["--port", "0", "--data", data], env);
  expect(await host.exited).toBe(1);
  return host.stderr;
}

describe("migrations", () => {
  it("are applied once each, in order of name, before the host is ready", async () => {
    const data = temporaryDirectory();
    const first = await startedHost(data, { env: migrations() });
    expect(first.host.stdout.match(/migration applied name=\S+/g)).toEqual([
      "migration applied name=0000_init.sql",
    ]);
    expect(await read(`${first.url}/rows`)).toBe("1");
    await first.host.kill("SIGTERM");

    const more = migrations({
      "0002_b.sql": "INSERT INTO notes (text) SELECT 'from b' FROM more;",
      "0001_a.sql":
        "CREATE TABLE more (a TEXT) STRICT;\n--> statement-breakpoint\nINSERT INTO more VALUES ('x');",
    });
    const second = await startedHost(data, { env: more });
    expect(second.host.stdout.match(/migration applied name=\S+/g)).toEqual([
      "migration applied name=0001_a.sql",
      "migration applied name=0002_b.sql",
    ]);
    expect(await read(`${second.url}/rows`)).toBe("3");
  });

  it("that fail change nothing, and can be mended", async () => {
    const data = temporaryDirectory();
    const failing =
      "CREATE TABLE half (a TEXT);\n--> statement-breakpoint\nINSERT INTO nowhere VALUES (1);";
    const stderr = await refusal(data, migrations({ "0001_half.sql": failing }));
    expect(stderr).toMatch(
      /^switchback: Migration 0001_half\.sql failed and has changed nothing: .*\n$/,
    );

    // CREATE without IF NOT EXISTS: it would fail if the first statement had stayed.
    const mended = migrations({ "0001_half.sql": "CREATE TABLE half (a TEXT);" });
    const { host } = await startedHost(data, { env: mended });
    expect(host.stdout.match(/migration applied name=\S+/g)).toEqual([
      "migration applied name=0001_half.sql",
    ]);
  });

  it("of a newer Switchback make an older one refuse the directory", async () => {
    const data = temporaryDirectory();
    const newer = migrations({ "0001_newer.sql": "CREATE TABLE newer (a TEXT);" });
    const { host } = await startedHost(data, { env: newer });
    await host.kill("SIGTERM");
    const stderr = await refusal(data, migrations());
    expect(stderr).toMatch(/^switchback: .*newer Switchback.*0001_newer\.sql.*\n$/);
  });
});

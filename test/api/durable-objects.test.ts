import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import type { ProbeResult } from "../../src/domain/version.ts";
import {
  ACCOUNT,
  apiClient,
  SCRIPTS,
  uploadBody,
  type Answer,
  type Client,
} from "./api-fixture.ts";

const NAMESPACES = `${ACCOUNT}/workers/durable_objects/namespaces`;

/** Starting a version shows the classes that its text exports. */
const probe = (version: { modules: readonly { bytes: Uint8Array }[] }): Promise<ProbeResult> => {
  const code = version.modules.map(({ bytes }) => new TextDecoder().decode(bytes)).join("\n");
  const names = [...code.matchAll(/export class (\w+)/g)].map(([, name]) => name ?? "");
  const namedHandlers = names.map((name) => ({ name, handlers: ["class"] }));
  return Promise.resolve({ ok: true, startupTimeMs: 1, handlers: ["fetch"], namedHandlers });
};

const exporting = (...names: string[]) =>
  names.map((name) => `export class ${name} {}`).join("\n") + "\nexport default {};";

interface Upload {
  readonly classes: string[];
  readonly migrations?: object;
  readonly bound?: string[];
  readonly bindings?: object[];
  readonly path?: string;
}

const put = (client: Client, name: string, upload: Upload): Promise<Answer> => {
  const { classes, migrations, bound = [], bindings = [], path = `${SCRIPTS}/${name}` } = upload;
  const metadata = {
    ...(migrations ? { migrations } : {}),
    bindings: [
      ...bindings,
      ...bound.map((class_name) => ({
        type: "durable_object_namespace",
        name: class_name.toUpperCase(),
        class_name,
      })),
    ],
  };
  const method = path.endsWith("versions") ? "POST" : "PUT";
  return client.call(method, path, uploadBody(metadata, { "index.js": exporting(...classes) }));
};

const codes = ({ status, errors }: Answer) => [status, ...errors.map((error) => error.code)];
interface Namespace {
  readonly id: string;
  readonly name: string;
  readonly script: string;
}
/** Of one Worker; the tests of a file share their database. */
const namespacesOf = async (client: Client, script: string): Promise<readonly Namespace[]> => {
  const listed = await client.call("GET", `${NAMESPACES}?per_page=1000`);
  return (listed.result as Namespace[]).filter((each) => each.script === script);
};
const list = async (client: Client, script: string) =>
  (await namespacesOf(client, script)).map(({ name }) => name);

describe("migrations of an upload", () => {
  it("make namespaces with the deployment, which services and versions tell by its tag", async () => {
    const client = await apiClient({ probe });
    const made = await put(client, "rooms", {
      classes: ["Room"],
      bound: ["Room"],
      migrations: { new_tag: "v1", steps: [{ new_sqlite_classes: ["Room"] }] },
    });
    expect(made.errors).toEqual([]);
    expect(made.result.migration_tag).toBe("v1");
    const listed = await client.call("GET", `${NAMESPACES}?per_page=1000&page=1`);
    expect(listed.result).toEqual([
      {
        id: expect.stringMatching(/^[0-9a-f]{32}$/),
        name: "rooms_Room",
        script: "rooms",
        class: "Room",
        use_sqlite: true,
      },
    ]);
    const service = await client.call("GET", `${ACCOUNT}/workers/services/rooms`);
    expect(service.result.default_environment.script.migration_tag).toBe("v1");
    const version = await client.call(
      "GET",
      `${SCRIPTS}/rooms/versions/${made.result.deployment_id}`,
    );
    expect(version.result.resources.script_runtime.migration_tag).toBe("v1");
    expect(version.result.resources.bindings[0]).toMatchObject({
      class_name: "Room",
      namespace_id: listed.result[0].id,
    });
    const objects = await client.call("GET", `${NAMESPACES}/${listed.result[0].id}/objects`);
    expect(objects.result).toEqual([]);
  });

  it("leave everything as it was when the upload is refused", async () => {
    const client = await apiClient({ probe });
    await put(client, "stays", {
      classes: ["A"],
      migrations: { new_tag: "v1", new_sqlite_classes: ["A"] },
    });
    const refusals: [Upload, (number | undefined)[]][] = [
      [{ classes: ["A"], migrations: { new_tag: "v2", new_classes: ["B"] } }, [400, 10064]],
      [{ classes: ["B"], migrations: {} }, [400, 10064]],
      [{ classes: [] }, [400, 10064]],
      [{ classes: ["A"], bound: ["Gone"] }, [400, 10061]],
      [{ classes: ["A"], migrations: { new_sqlite_classes: ["A"] } }, [400, 10074]],
      [{ classes: ["A"], migrations: { deleted_classes: ["Z"] } }, [400, 10074]],
      [{ classes: ["A"], bound: ["A"], migrations: { deleted_classes: ["A"] } }, [400, 10061]],
      [{ classes: ["A"], migrations: { old_tag: "v9", new_tag: "v2" } }, [412, 10079]],
      [{ classes: ["A"], migrations: { transferred_classes: [{}] } }, [400, 10021]],
      [
        {
          classes: ["A"],
          migrations: { new_tag: "v2", new_classes: ["C"] },
          path: `${SCRIPTS}/stays/versions`,
        },
        [400, 10211],
      ],
    ];
    for (const [upload, expected] of refusals) {
      expect([upload, codes(await put(client, "stays", upload))]).toEqual([upload, expected]);
    }
    expect(await list(client, "stays")).toEqual(["stays_A"]);
    const service = await client.call("GET", `${ACCOUNT}/workers/services/stays`);
    expect(service.result.default_environment.script.migration_tag).toBe("v1");
  });

  it("apply once when two uploads with the same migration race", async () => {
    const client = await apiClient({ probe });
    await put(client, "raced", { classes: ["A"] });
    const upload = { classes: ["A"], migrations: { new_tag: "v1", new_sqlite_classes: ["A"] } };
    const answers = await Promise.all([
      put(client, "raced", upload),
      put(client, "raced", upload),
      put(client, "raced", upload),
    ]);
    const outcomes = answers.map((answer) => codes(answer).join(" ")).sort();
    expect(outcomes.filter((outcome) => outcome === "200")).toHaveLength(1);
    for (const outcome of outcomes.slice(1)) expect(["412 10079", "400 10074"]).toContain(outcome);
    expect(await list(client, "raced")).toEqual(["raced_A"]);
  });

  it("may swap two names at once, and keep the ids", async () => {
    const client = await apiClient({ probe });
    const upload = { classes: ["A", "B"], migrations: { new_tag: "v1", new_classes: ["A", "B"] } };
    await put(client, "swap", upload);
    const before = await namespacesOf(client, "swap");
    const renamed_classes = [
      { from: "A", to: "B" },
      { from: "B", to: "A" },
    ];
    const swapped = await put(client, "swap", {
      classes: ["A", "B"],
      migrations: { old_tag: "v1", new_tag: "v2", steps: [{ renamed_classes }] },
    });
    expect(swapped.errors).toEqual([]);
    const after = await namespacesOf(client, "swap");
    expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id).toReversed());
  });

  it("cannot be rolled back over, in full or in part; what was uploaded after them deploys", async () => {
    const client = await apiClient({ probe });
    const old = await put(client, "back", { classes: [] });
    const migrations = { new_tag: "v1", new_sqlite_classes: ["A"] };
    const next = await put(client, "back", { classes: ["A"], migrations });
    const deploy = (versions: object[]) =>
      client.call("POST", `${SCRIPTS}/back/deployments`, { strategy: "percentage", versions });
    const share = (answer: Answer, percentage: number) => ({
      version_id: answer.result.deployment_id ?? answer.result.id,
      percentage,
    });
    expect(codes(await deploy([share(old, 100)]))).toEqual([400, 130055]);
    expect(codes(await deploy([share(next, 50), share(old, 50)]))).toEqual([400, 130055]);
    const later = await put(client, "back", {
      classes: ["A"],
      bound: ["A"],
      path: `${SCRIPTS}/back/versions`,
    });
    expect((await deploy([share(next, 50), share(later, 50)])).status).toBe(200);
    expect((await deploy([share(next, 100)])).status).toBe(200);
  });

  it("between a version and what serves are named, in both directions, with the classes and the nearest version that can be deployed", async () => {
    const client = await apiClient({ probe });
    const idOf = ({ result }: Answer) => String(result.deployment_id ?? result.id);
    const path = `${SCRIPTS}/between/versions`;
    const first = await put(client, "between", { classes: [] });
    const second = await put(client, "between", { classes: [], path });
    const made = { new_tag: "v1", new_sqlite_classes: ["Room"] };
    const third = await put(client, "between", { classes: ["Room"], migrations: made });
    const renamed_classes = [{ from: "Room", to: "Hall" }];
    const renamed = { old_tag: "v1", new_tag: "v2", steps: [{ renamed_classes }] };
    const fourth = await put(client, "between", { classes: ["Hall"], migrations: renamed });
    const fifth = await put(client, "between", { classes: ["Hall"], path });
    const deploy = (answer: Answer) =>
      client.call("POST", `${SCRIPTS}/between/deployments?force=true`, {
        versions: [{ version_id: idOf(answer), percentage: 100 }],
      });

    const back = await deploy(second);
    expect(codes(back)).toEqual([400, 130055]);
    expect(back.errors[0]?.meta).toEqual({
      version_id: idOf(second),
      migrations: ["v1", "v2"],
      classes: ["Hall"],
      version_tag: null,
      current_tag: "v2",
      nearest_version_id: idOf(fourth),
      nearest_version_number: 4,
    });
    expect(back.errors[0]?.message).toMatch(
      /migrations v1, v2 lie between it and what serves \(class Hall\).*nearest version that can be deployed is .*number 4/,
    );
    const over = await deploy(third);
    expect(over.errors[0]?.meta).toMatchObject({ migrations: ["v2"], classes: ["Hall", "Room"] });

    // Forward: only the upload that brings a migration may cross it.
    const other = await put(client, "between-forward", { classes: [] });
    const forward = await put(client, "between-forward", { classes: ["Room"], migrations: made });
    expect(forward.status).toBe(200);
    const split = await client.call("POST", `${SCRIPTS}/between-forward/deployments`, {
      versions: [
        { version_id: idOf(other), percentage: 50 },
        { version_id: idOf(forward), percentage: 50 },
      ],
    });
    expect(split.errors[0]?.meta).toMatchObject({ migrations: ["v1"], classes: ["Room"] });
    expect([idOf(first), idOf(fifth)].every((id) => id !== "undefined")).toBe(true);
  });

  it("delete namespaces with the deployment, unless another Worker is bound to them", async () => {
    const client = await apiClient({ probe });
    const upload = { classes: ["A"], migrations: { new_tag: "v1", new_sqlite_classes: ["A"] } };
    await put(client, "owner", upload);
    const bindings = [
      { type: "durable_object_namespace", name: "X", class_name: "A", script_name: "owner" },
    ];
    expect((await put(client, "guest", { classes: [], bindings })).errors).toEqual([]);
    const deletion = { classes: [], migrations: { new_tag: "v2", deleted_classes: ["A"] } };
    const refused = await put(client, "owner", deletion);
    expect(codes(refused)).toEqual([400, 10061]);
    expect(refused.errors[0]?.message).toContain("guest (X)");
    const references = await client.call("GET", `${SCRIPTS}/owner/references`);
    expect(references.result.durable_objects).toMatchObject([
      { service: "guest", name: "X", durable_object_namespace_name: "owner_A" },
    ]);
    expect(codes(await client.call("DELETE", `${SCRIPTS}/owner`))).toEqual([400, 130043]);
    await put(client, "guest", { classes: [] });
    expect((await put(client, "owner", deletion)).errors).toEqual([]);
    expect(await list(client, "owner")).toEqual([]);
    const left = await env.DB.prepare(
      "SELECT count(*) AS n FROM durable_namespaces WHERE deleted_on IS NOT NULL",
    ).first("n");
    expect(left).toBe(0);
  });

  it("are inherited by later uploads, whose inherited bindings follow a renamed class", async () => {
    const client = await apiClient({ probe });
    await put(client, "heir", {
      classes: ["A"],
      bound: ["A"],
      migrations: { new_tag: "v1", new_sqlite_classes: ["A"] },
    });
    const renamed = await put(client, "heir", {
      classes: ["B"],
      bindings: [{ type: "inherit", name: "A" }],
      migrations: { new_tag: "v2", renamed_classes: [{ from: "A", to: "B" }] },
    });
    expect(renamed.errors).toEqual([]);
    const version = await client.call(
      "GET",
      `${SCRIPTS}/heir/versions/${renamed.result.deployment_id}`,
    );
    expect(version.result.resources.bindings[0]).toMatchObject({ name: "A", class_name: "B" });
  });
});

describe("lists of namespaces and objects", () => {
  it("wait for the objects' process, and say when to ask again if it does not come back", async () => {
    const door = vi.fn().mockRejectedValue(new Error("Network connection lost."));
    const client = await apiClient({ probe, objects: { door } });
    const migrations = { new_tag: "v1", steps: [{ new_sqlite_classes: ["Room"] }] };
    const made = await put(client, "lost", { classes: ["Room"], migrations });
    expect(made.errors).toEqual([]);
    const [namespace] = await namespacesOf(client, "lost");
    const objects = `${NAMESPACES}/${namespace?.id}/objects`;
    vi.spyOn(scheduler, "wait").mockResolvedValue();
    const refused = await client.call("GET", objects);
    expect(codes(refused)).toEqual([503, 130062]);
    expect(refused.headers.get("retry-after")).toBe("1");
    door.mockResolvedValueOnce({ list: async () => ({ objectIds: [], more: false }) });
    expect((await client.call("GET", objects)).result).toEqual([]);
    vi.restoreAllMocks();
  });

  it("refuse what they do not understand, with what to do", async () => {
    const client = await apiClient({ probe });
    expect(codes(await client.call("GET", `${NAMESPACES}?page=x`))).toEqual([400, 130001]);
    const unknown = `${NAMESPACES}/${"0".repeat(32)}/objects`;
    expect(codes(await client.call("GET", unknown))).toEqual([404, 130056]);
    expect(codes(await client.call("GET", `${unknown}?cursor=%00`))).toEqual([400, 130001]);
    expect(codes(await client.call("GET", `${unknown}?limit=-1`))).toEqual([400, 130001]);
  });
});

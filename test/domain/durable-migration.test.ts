import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decideDurable,
  decideExports,
  type DurableFacts,
  type Giver,
  migrate,
  NO_DURABLE,
  parseMigrations,
  stateKey,
  type DurableState,
  type VersionDurable,
} from "../../src/domain/durable-migration.ts";
import {
  CLASS_NAME_CHARS_MAX,
  DURABLE_CLASSES_MAX,
  MIGRATION_STEPS_MAX,
  MIGRATION_TAG_CHARS_MAX,
} from "../../src/domain/limits-durable.ts";

const ids = () => {
  let next = 0;
  return () => String(next++).padStart(32, "0");
};

const GIVER: Giver = {
  workerId: "id of x",
  classes: [
    {
      namespaceId: "id of X",
      className: "X",
      usesSqlite: true,
      received: { home: "id of home", transfers: 2, from: "id of another" },
    },
    { namespaceId: "id of Y", className: "Y", usesSqlite: false },
  ],
};
const TRANSFER = { from: "X", from_script: "x", to: "B" };

/** The state after migrations as they come on the wire, or the kind of the refusal. */
function after(raw: Record<string, unknown>, state: DurableState = NO_DURABLE) {
  const parsed = parseMigrations(raw);
  if (!parsed.ok) return parsed.error.kind;
  const migrated = migrate(state, parsed.value, ids(), new Map([["x", GIVER]]));
  return migrated.ok ? migrated.value : migrated.error.kind;
}

const names = (state: ReturnType<typeof after>) =>
  typeof state === "string" ? state : state.classes.map((each) => each.className).sort();

const state = (tag: string | null, ...classNames: string[]): DurableState => ({
  tag,
  classes: classNames.map((className) => ({
    namespaceId: `id of ${className}`,
    className,
    usesSqlite: true,
  })),
});

describe("migrations", () => {
  it("take steps, or one step by itself, and end with their tag", () => {
    const steps = [{ new_sqlite_classes: ["A"] }, { new_classes: ["B"] }];
    expect(after({ new_tag: "v2", steps })).toEqual({
      tag: "v2",
      classes: [
        { namespaceId: "0".repeat(32), className: "A", usesSqlite: true },
        { namespaceId: `${"0".repeat(31)}1`, className: "B", usesSqlite: false },
      ],
    });
    expect(after({ new_tag: "v1", new_sqlite_classes: ["A"] })).toMatchObject({ tag: "v1" });
    expect(after({ new_sqlite_classes: ["A"] }, state("v7"))).toMatchObject({ tag: "v7" });
  });

  it("keep a renamed class's namespace, and two classes may swap their names", () => {
    const renamed_classes = [
      { from: "A", to: "B" },
      { from: "B", to: "A" },
    ];
    const swapped = after({ renamed_classes }, state("v1", "A", "B"));
    expect(swapped).toMatchObject({
      classes: [
        { className: "B", namespaceId: "id of A" },
        { className: "A", namespaceId: "id of B" },
      ],
    });
  });

  it("take over another Worker's class with its namespace, its home and how often it was transferred", () => {
    const taken = after({ transferred_classes: [TRANSFER] }, state("v1", "A"));
    expect(taken).toMatchObject({
      classes: [
        { className: "A" },
        {
          className: "B",
          namespaceId: "id of X",
          usesSqlite: true,
          received: { home: "id of home", transfers: 3, from: "id of x" },
        },
      ],
    });
    const first = after({ transferred_classes: [{ ...TRANSFER, from: "Y" }] });
    const received = { home: "id of x", transfers: 1, from: "id of x" };
    expect(first).toMatchObject({ classes: [{ className: "B", received }] });
  });

  it("give a class that is made again under a deleted one's name a namespace of its own", () => {
    const steps = [{ deleted_classes: ["A"] }, { new_sqlite_classes: ["A"] }];
    const again = after({ steps }, state("v1", "A"));
    expect(again).toMatchObject({ classes: [{ className: "A", namespaceId: "0".repeat(32) }] });
  });

  it.each([
    [{ old_tag: "v0", new_sqlite_classes: ["B"] }, "migration_tag_moved"],
    [{ old_tag: "v1", new_sqlite_classes: ["A"] }, "durable_class_taken"],
    [{ renamed_classes: [{ from: "A", to: "B" }], new_classes: ["B"] }, "durable_class_taken"],
    [{ renamed_classes: [{ from: "C", to: "B" }] }, "durable_class_unknown"],
    [{ deleted_classes: ["C"] }, "durable_class_unknown"],
    [{ transferred_classes: [{ from: "A", from_script: "none", to: "B" }] }, "transfer_refused"],
    [{ transferred_classes: [{ from: "C", from_script: "x", to: "B" }] }, "transfer_refused"],
    [{ transferred_classes: [{ from: "X", from_script: "x", to: "A" }] }, "durable_class_taken"],
    [{ transferred_classes: [TRANSFER, { ...TRANSFER, to: "C" }] }, "transfer_refused"],
    [{ transferred_classes: [{ from: "X", to: "B" }] }, "upload_invalid"],
    [{ transferred_classes: [{ ...TRANSFER, from_script: "" }] }, "upload_invalid"],
    [{ new_sqlite_classes: "A" }, "upload_invalid"],
    [{ new_sqlite_classes: ["not a name"] }, "upload_invalid"],
    [{ new_sqlite_classes: ["default"] }, "upload_invalid"],
    [{ new_sqlite_classes: ["__switchbackRoom"] }, "upload_invalid"],
    [{ renamed_classes: ["A"] }, "upload_invalid"],
    [{ steps: {} }, "upload_invalid"],
    [{ steps: [null] }, "upload_invalid"],
    [{ new_tag: 5 }, "upload_invalid"],
  ])("%j is refused as %s", (raw, kind) => {
    expect(after(raw, state("v1", "A"))).toBe(kind);
  });

  it("are limited in steps, classes, tags and names, and allowed at the limit", () => {
    const classes = (count: number) => Array.from({ length: count }, (_, at) => `C${at}`);
    expect(names(after({ new_classes: classes(DURABLE_CLASSES_MAX) }))).toHaveLength(
      DURABLE_CLASSES_MAX,
    );
    expect(after({ new_classes: classes(DURABLE_CLASSES_MAX + 1) })).toBe("upload_invalid");
    expect(after({ steps: Array(MIGRATION_STEPS_MAX).fill({}) })).toMatchObject({ classes: [] });
    expect(after({ steps: Array(MIGRATION_STEPS_MAX + 1).fill({}) })).toBe("upload_invalid");
    expect(after({ new_tag: "t".repeat(MIGRATION_TAG_CHARS_MAX) })).toMatchObject({ classes: [] });
    expect(after({ new_tag: "t".repeat(MIGRATION_TAG_CHARS_MAX + 1) })).toBe("upload_invalid");
    expect(names(after({ new_classes: ["C".repeat(CLASS_NAME_CHARS_MAX)] }))).toHaveLength(1);
    expect(after({ new_classes: ["C".repeat(CLASS_NAME_CHARS_MAX + 1)] })).toBe("upload_invalid");
  });

  it("never leave two classes of one name, or one namespace twice, whatever the steps are", () => {
    const name = fc.constantFrom("A", "B", "C", "D");
    const step = fc.record({
      new_sqlite_classes: fc.array(name, { maxLength: 2 }),
      deleted_classes: fc.array(name, { maxLength: 2 }),
      renamed_classes: fc.array(fc.record({ from: name, to: name }), { maxLength: 2 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), (steps) => {
        const ended = after({ steps }, state("v1", "A", "B"));
        if (typeof ended === "string") return;
        const { classes } = ended;
        expect(new Set(classes.map((each) => each.className)).size).toBe(classes.length);
        expect(new Set(classes.map((each) => each.namespaceId)).size).toBe(classes.length);
      }),
    );
  });
});

describe("a deployment and the classes that there are", () => {
  const current = state("v1", "A");
  const madeFor = (durable: DurableState): VersionDurable => ({ ...durable, base: null });
  const migrating = (durable: DurableState): VersionDurable => ({
    ...durable,
    base: stateKey(current),
  });
  const decide = (
    versions: VersionDurable[],
    isUpload = false,
    users: string[] = [],
    owners: DurableFacts["owners"] = new Map(),
  ) => {
    const decided = decideDurable({
      isUpload,
      current,
      versions: versions.map((durable, at) => ({ versionId: `v${at}`, durable })),
      boundElsewhere: new Map([["A", users.map((worker) => ({ worker, binding: "B" }))]]),
      owners,
    });
    return decided.ok ? "ok" : decided.error.kind;
  };

  it("fits when every version was made for them", () => {
    expect(decide([madeFor(current), madeFor(current)])).toBe("ok");
  });

  it("changes them only by one version alone that starts from them", () => {
    const next = migrating(state("v2", "A", "B"));
    expect(decide([next])).toBe("ok");
    expect(decide([next, madeFor(current)])).toBe("migration_between");
    expect(decide([madeFor(current), next])).toBe("migration_between");
  });

  it("does not go back over a migration, however the version came to be", () => {
    expect(decide([madeFor(NO_DURABLE)])).toBe("migration_between");
    expect(decide([{ ...state("v0", "A"), base: stateKey(NO_DURABLE) }])).toBe("migration_between");
  });

  it("tells an upload that somebody else has migrated meanwhile, even to a tag of the same name", () => {
    const raced: VersionDurable = {
      tag: "v1",
      classes: [{ namespaceId: "another", className: "A", usesSqlite: true }],
      base: stateKey(NO_DURABLE),
    };
    expect(decide([raced], true)).toBe("migration_tag_moved");
  });

  it("does not delete a class that another Worker is bound to", () => {
    const gone = migrating(state("v2"));
    expect(decide([gone], true, ["other"])).toBe("durable_class_bound");
    expect(decide([gone], true)).toBe("ok");
  });

  it("takes a class over only from whoever still has it", () => {
    const received = { home: "w", transfers: 3, from: "w" };
    const classes = [{ namespaceId: "n", className: "A", usesSqlite: true, received }];
    const taking = migrating({ tag: "v2", classes: [...current.classes, ...classes] });
    const from = (workerId: string, transfers: number) =>
      decide([taking], true, [], new Map([["n", { workerId, transfers }]]));
    expect(from("w", 2)).toBe("ok");
    expect(from("x", 2)).toBe("transfer_overtaken");
    expect(from("w", 3)).toBe("transfer_overtaken");
    expect(decide([taking], true)).toBe("transfer_overtaken");
  });

  it("needs every class exported", () => {
    expect(decideExports(current.classes, new Set(["A"])).ok).toBe(true);
    expect(decideExports(current.classes, new Set(["B"]))).toMatchObject({
      error: { kind: "durable_class_not_exported", className: "A" },
    });
  });
});

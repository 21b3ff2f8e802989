/**
 * A Worker's Durable Object classes, and how migrations change them. A version carries the classes for which it was
 * uploaded; deploying it makes them the Worker's, and it can only be deployed over the state that it was made for.
 */
import type { DomainError } from "./errors.ts";
import { CLASS_NAME_CHARS_MAX, DURABLE_CLASSES_MAX } from "./limits-durable.ts";
import { MIGRATION_STEPS_MAX, MIGRATION_TAG_CHARS_MAX } from "./limits-durable.ts";
import { RESOURCE_NAME_CHARS_MAX } from "./limits-bindings.ts";
import { err, ok, type Result } from "./result.ts";

/** A namespace of objects, and the exported class that they are of. */
export interface DurableClass {
  /** 32 hex digits; stays the same when the class is renamed. */
  readonly namespaceId: string;
  readonly className: string;
  readonly usesSqlite: boolean;
  /** How it came from another Worker; absent: it was made by this one. */
  readonly received?: ReceivedClass;
}

export interface ReceivedClass {
  /** Id of the Worker in whose process and directory the objects stay. */
  readonly home: string;
  /** How often the namespace has been transferred, with this time. */
  readonly transfers: number;
  /** Id of the Worker that gave it. */
  readonly from: string;
}

/** Another Worker and the classes that it has now. */
export interface Giver {
  readonly workerId: string;
  readonly classes: readonly DurableClass[];
}

export const homeOf = (workerId: string, { received }: DurableClass): string =>
  received?.home ?? workerId;

export const transfersOf = ({ received }: DurableClass): number => received?.transfers ?? 0;

export interface DurableState {
  /** Of the last migration that was applied; null before the first. */
  readonly tag: string | null;
  readonly classes: readonly DurableClass[];
}

export interface VersionDurable extends DurableState {
  /** {@link stateKey} of what its migrations start from; null when it brought none. */
  readonly base: string | null;
}

export const NO_DURABLE: VersionDurable = { tag: null, classes: [], base: null };

/** Migrations as an upload brings them. */
export interface Migrations {
  /** What the client believes to be applied; undefined: it does not say. */
  readonly oldTag: string | undefined;
  /** undefined: the tag stays. */
  readonly newTag: string | undefined;
  readonly steps: readonly MigrationStep[];
}

interface MigrationStep {
  readonly newClasses: readonly string[];
  readonly newSqliteClasses: readonly string[];
  readonly renamedClasses: readonly { readonly from: string; readonly to: string }[];
  readonly deletedClasses: readonly string[];
  readonly transferredClasses: readonly Transfer[];
}

interface Transfer {
  readonly from: string;
  /** Name of the Worker that has it. */
  readonly fromScript: string;
  readonly to: string;
}

/** Of two states the same text exactly when they are the same. */
export const stateKey = ({ tag, classes }: DurableState): string =>
  JSON.stringify([
    tag,
    classes
      .map((each): [string, ...unknown[]] => {
        const told: [string, ...unknown[]] = [each.namespaceId, each.className, each.usesSqlite];
        return transfersOf(each) > 0 ? [...told, transfersOf(each)] : told;
      })
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  ]);

type Fields = Readonly<Record<string, unknown>>;

/** Reads `metadata.migrations`: a list of steps, or one step by itself. */
export function parseMigrations(raw: Fields): Result<Migrations, DomainError> {
  const oldTag = parseTag(raw, "old_tag");
  if (!oldTag.ok) return oldTag;
  const newTag = parseTag(raw, "new_tag");
  if (!newTag.ok) return newTag;
  const given = raw["steps"] ?? [raw];
  if (!Array.isArray(given)) return invalid("The steps of the migrations must be a list.");
  if (given.length > MIGRATION_STEPS_MAX)
    return invalid(
      `The migrations have ${given.length} steps; at most ${MIGRATION_STEPS_MAX} are allowed in one upload.`,
    );
  const steps: MigrationStep[] = [];
  for (const item of given as unknown[]) {
    if (!isFields(item)) return invalid("Each step of the migrations must be an object.");
    const step = parseStep(item);
    if (!step.ok) return step;
    steps.push(step.value);
  }
  return ok({ oldTag: oldTag.value, newTag: newTag.value, steps });
}

function parseTag(raw: Fields, field: string): Result<string | undefined, DomainError> {
  const tag = raw[field] ?? undefined;
  if (tag === undefined) return ok(undefined);
  if (typeof tag !== "string" || tag.length > MIGRATION_TAG_CHARS_MAX)
    return invalid(
      `The ${field} of the migrations must be a text of at most ${MIGRATION_TAG_CHARS_MAX} characters.`,
    );
  // An SDK that has no tag yet may send an empty one.
  return ok(tag === "" ? undefined : tag);
}

function parseStep(raw: Fields): Result<MigrationStep, DomainError> {
  const lists = [];
  for (const field of ["new_classes", "new_sqlite_classes", "deleted_classes"]) {
    const names = raw[field] ?? [];
    if (!Array.isArray(names) || !names.every(isClassName))
      return invalid(`The ${field} of the migrations must be a list of class names.`);
    lists.push(names);
  }
  const renamed = raw["renamed_classes"] ?? [];
  if (!Array.isArray(renamed) || !renamed.every(isRename))
    return invalid("The renamed_classes of the migrations must be a list of { from, to }.");
  const transferred = raw["transferred_classes"] ?? [];
  if (!Array.isArray(transferred) || !transferred.every(isTransfer))
    return invalid(
      "The transferred_classes of the migrations must be a list of { from, from_script, to }.",
    );
  const [newClasses = [], newSqliteClasses = [], deletedClasses = []] = lists;
  return ok({
    newClasses,
    newSqliteClasses,
    deletedClasses,
    renamedClasses: renamed,
    transferredClasses: transferred.map((each) => ({
      from: each.from,
      fromScript: each.from_script,
      to: each.to,
    })),
  });
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Any identifier: it is the name of an export. */
const isClassName = (value: unknown): value is string =>
  typeof value === "string" &&
  value.length <= CLASS_NAME_CHARS_MAX &&
  /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*$/u.test(value) &&
  value !== "default" &&
  !value.toLowerCase().startsWith("__switchback");

function isRename(value: unknown): value is { from: string; to: string } {
  if (!isFields(value)) return false;
  const { from, to } = value;
  return isClassName(from) && isClassName(to);
}

function isTransfer(value: unknown): value is { from: string; from_script: string; to: string } {
  if (!isRename(value)) return false;
  const script = (value as Fields)["from_script"];
  return typeof script === "string" && script !== "" && script.length <= RESOURCE_NAME_CHARS_MAX;
}

/** Names of the Workers from which classes are to be transferred. */
export const giversOf = ({ steps }: Migrations): readonly string[] => [
  ...new Set(steps.flatMap((step) => step.transferredClasses.map((each) => each.fromScript))),
];

const NO_GIVERS: ReadonlyMap<string, Giver> = new Map();

/** The state after the migrations. `newId` gives the id of a new namespace; `givers`: other Workers that there are, by name. */
export function migrate(
  state: DurableState,
  { oldTag, newTag, steps }: Migrations,
  newId: () => string,
  givers: ReadonlyMap<string, Giver> = NO_GIVERS,
): Result<DurableState, DomainError> {
  if (oldTag !== undefined && oldTag !== state.tag)
    return err({ kind: "migration_tag_moved", currentTag: state.tag });
  const classes = new Map(state.classes.map((each) => [each.className, each]));
  for (const step of steps) {
    const applied = applyStep(classes, step, newId, givers);
    if (!applied.ok) return applied;
  }
  if (classes.size > DURABLE_CLASSES_MAX)
    return invalid(
      `The Worker would have ${classes.size} Durable Object classes; at most ${DURABLE_CLASSES_MAX} are allowed.`,
    );
  return ok({ tag: newTag ?? state.tag, classes: [...classes.values()] });
}

function applyStep(
  classes: Map<string, DurableClass>,
  step: MigrationStep,
  newId: () => string,
  givers: ReadonlyMap<string, Giver>,
): Result<void, DomainError> {
  for (const className of step.deletedClasses) {
    if (!classes.delete(className))
      return err({ kind: "durable_class_unknown", migration: "delete-class", className });
  }
  // All that are renamed leave their names first, so that two classes may swap theirs.
  const moved: DurableClass[] = [];
  for (const { from, to } of step.renamedClasses) {
    const found = classes.get(from);
    if (found === undefined)
      return err({ kind: "durable_class_unknown", migration: "rename-class", className: from });
    classes.delete(from);
    moved.push({ ...found, className: to });
  }
  for (const each of moved) {
    if (classes.has(each.className))
      return err({
        kind: "durable_class_taken",
        migration: "rename-class",
        className: each.className,
      });
    classes.set(each.className, each);
  }
  for (const transfer of step.transferredClasses) {
    const received = receive(classes, transfer, givers);
    if (!received.ok) return received;
    classes.set(transfer.to, received.value);
  }
  for (const [names, usesSqlite] of [
    [step.newClasses, false],
    [step.newSqliteClasses, true],
  ] as const) {
    for (const className of names) {
      if (classes.has(className))
        return err({ kind: "durable_class_taken", migration: "new-class", className });
      classes.set(className, { namespaceId: newId(), className, usesSqlite });
    }
  }
  return ok(undefined);
}

function receive(
  classes: ReadonlyMap<string, DurableClass>,
  { from, fromScript: script, to }: Transfer,
  givers: ReadonlyMap<string, Giver>,
): Result<DurableClass, DomainError> {
  const refused = (why: "no_worker" | "no_class" | "given") =>
    err<DomainError>({ kind: "transfer_refused", className: from, script, why });
  const giver = givers.get(script);
  if (giver === undefined) return refused("no_worker");
  const found = giver.classes.find((each) => each.className === from);
  if (found === undefined) return refused("no_class");
  const { namespaceId, usesSqlite } = found;
  if ([...classes.values()].some((each) => each.namespaceId === namespaceId))
    return refused("given");
  if (classes.has(to))
    return err({ kind: "durable_class_taken", migration: "transfer-class", className: to });
  const { workerId } = giver;
  const transfers = transfersOf(found) + 1;
  const received = { home: homeOf(workerId, found), transfers, from: workerId };
  return ok({ namespaceId, className: to, usesSqlite, received });
}

/** Every class that objects are of has to be there to run them. `exported`: what starting the code has shown. */
export function decideExports(
  classes: readonly DurableClass[],
  exported: ReadonlySet<string>,
): Result<void, DomainError> {
  const missing = classes.find(({ className }) => !exported.has(className));
  return missing === undefined
    ? ok(undefined)
    : err({ kind: "durable_class_not_exported", className: missing.className });
}

/** Classes whose objects would go. */
export const removedClasses = (
  before: DurableState,
  after: DurableState,
): readonly DurableClass[] =>
  before.classes.filter(
    ({ namespaceId }) => !after.classes.some((each) => each.namespaceId === namespaceId),
  );

/** Classes that would come from other Workers. */
export const receivedClasses = (
  before: DurableState,
  after: DurableState,
): readonly (DurableClass & { readonly received: ReceivedClass })[] =>
  after.classes.filter(
    (each): each is DurableClass & { readonly received: ReceivedClass } =>
      each.received !== undefined &&
      !before.classes.some(({ namespaceId }) => namespaceId === each.namespaceId),
  );

/** What lies between a version and what is deployed. */
export interface MigrationsBetween {
  /** Tags, in order of upload. */
  readonly migrations: readonly string[];
  /** The version nearest to it that could be deployed; null: there is none. */
  readonly nearest: { readonly versionId: string; readonly number: number } | null;
}

/** Names of the classes that are not the same in both: made, deleted, renamed or transferred in between. */
export function differingClasses(one: DurableState, other: DurableState): readonly string[] {
  const told = ({ classes }: DurableState) =>
    new Map(classes.map((each) => [stateKey({ tag: null, classes: [each] }), each.className]));
  const [ofOne, ofOther] = [told(one), told(other)];
  const names = [
    ...[...ofOne].filter(([key]) => !ofOther.has(key)),
    ...[...ofOther].filter(([key]) => !ofOne.has(key)),
  ].map(([, className]) => className);
  return [...new Set(names)].toSorted();
}

export interface DurableFacts {
  /** An upload that deploys at once: if it does not fit, somebody else has migrated meanwhile. */
  readonly isUpload: boolean;
  /** Of what is deployed now. */
  readonly current: DurableState;
  readonly versions: readonly { readonly versionId: string; readonly durable: VersionDurable }[];
  /** By class name: other Workers whose current deployment is bound to it. Of the classes that would be deleted. */
  readonly boundElsewhere: ReadonlyMap<
    string,
    readonly { readonly worker: string; readonly binding: string }[]
  >;
  /** By version id, of those that a migration separates from what is deployed. */
  readonly between?: ReadonlyMap<string, MigrationsBetween>;
  /** Whose the namespaces are that would come from other Workers, by namespace id; one that is gone is missing. */
  readonly owners: ReadonlyMap<string, { readonly workerId: string; readonly transfers: number }>;
}

/** Whether versions fit what is deployed: all are made for its classes, or it is one alone, which brings what changes them. */
export function decideDurable(facts: DurableFacts): Result<void, DomainError> {
  const { current, versions, boundElsewhere, owners, isUpload } = facts;
  const key = stateKey(current);
  for (const { versionId, durable } of versions) {
    if (stateKey(durable) === key) continue;
    if (durable.base !== key || versions.length > 1) {
      if (isUpload) return err({ kind: "migration_tag_moved", currentTag: current.tag });
      const { migrations = [], nearest = null } = facts.between?.get(versionId) ?? {};
      return err({
        kind: "migration_between",
        versionId,
        tag: durable.tag,
        currentTag: current.tag,
        classes: differingClasses(current, durable),
        migrations,
        nearest,
      });
    }
    for (const { className } of removedClasses(current, durable)) {
      const users = boundElsewhere.get(className) ?? [];
      if (users.length > 0) return err({ kind: "durable_class_bound", className, users });
    }
    for (const { className, namespaceId, received } of receivedClasses(current, durable)) {
      const owner = owners.get(namespaceId);
      const { from, transfers } = received;
      if (owner?.workerId !== from || owner.transfers !== transfers - 1)
        return err({ kind: "transfer_overtaken", className });
    }
  }
  return ok(undefined);
}

const invalid = (detail: string) => err<DomainError>({ kind: "upload_invalid", detail });

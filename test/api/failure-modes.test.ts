import { describe, expect, it } from "vitest";
import errors from "../../docs/errors.md?raw";
import page from "../../docs/failure-modes.md?raw";
import { toWireRefusal } from "../../src/api/errors.ts";
import { toWireMessage } from "../../src/api/wire/warnings.ts";
import type { DeploymentWarning } from "../../src/domain/deployment-warnings.ts";
import { EACH, HOSTS_OWN } from "./each-error.ts";

/** What the page says, by `code kind`: its status, the sentence that a user sees, and everything else. */
const sections = new Map(
  page
    .split(/^### /m)
    .slice(1)
    .map((text) => {
      const [title = "", ...body] = text.split(/^## /m)[0]?.trim().split("\n\n") ?? [];
      const seen = body.find((part) => part.startsWith("> "))?.slice(2) ?? "";
      const status = Number(/^Status (\d+)\. \S/.exec(body[0] ?? "")?.[1]);
      return [title.replaceAll("`", ""), { status, seen, remedy: body.at(-1) ?? "" }] as const;
    }),
);

const { uploaded_not_deployed: _, refused_for_several: __, ...alone } = EACH;
const ours = Object.values(alone)
  .map((error) => ({ kind: error.kind, ...toWireRefusal(error) }))
  .filter(({ errors: [decisive] }) => (decisive?.code ?? 0) >= 130_000);

describe("docs/failure-modes.md", () => {
  it("has every code of our range, the host's own too, and no other", () => {
    const real = ours.map(
      ({ kind, status, errors: [decisive] }) => `${decisive?.code} ${kind} ${status}`,
    );
    const told = [...sections].map(([title, { status }]) => `${title} ${status}`);
    expect(told.toSorted()).toEqual([...real, ...HOSTS_OWN].toSorted());
  });

  it("says of each with which status and in which words it comes, and what to do", () => {
    for (const {
      kind,
      status,
      errors: [decisive],
    } of ours) {
      const section = sections.get(`${decisive?.code} ${kind}`);
      expect(section, kind).toMatchObject({ status, seen: decisive?.message });
      expect(section?.remedy, kind).toMatch(/^(?!>|Status ).*\S{2}/s);
    }
  });

  it("has the notices that warnings come as, like docs/errors.md", () => {
    const applied = { count: 1, last: "0001_a.sql" };
    const bound = { binding: "DB", databaseId: "d" };
    const warnings: { readonly [K in DeploymentWarning["kind"]]: DeploymentWarning } = {
      resources_unchanged: { kind: "resources_unchanged", resources: [] },
      d1_migrations_differ: {
        kind: "d1_migrations_differ",
        ...bound,
        lastCurrent: applied,
        now: applied,
      },
      d1_not_compared: { kind: "d1_not_compared", ...bound },
      compatibility_date_back: { kind: "compatibility_date_back", from: "a", to: "b" },
      assets_disappear: { kind: "assets_disappear" },
      triggers_unchanged: { kind: "triggers_unchanged", crons: 1, routes: 1 },
    };
    const codes = Object.values(warnings).map((warning) => toWireMessage(warning).code);
    const told = (text: string) =>
      [...text.matchAll(/^\| (1301\d\d) \| [^`]/gm)].map(([, code]) => Number(code));
    expect(told(page)).toEqual([130_100, ...codes.toSorted((a, b) => a - b)]);
    expect(told(errors)).toEqual(told(page));
  });
});

/** Limits that clients meet and no other test is about: at each boundary, what is within and what is beyond. */
import { describe, expect, it } from "vitest";
import { domainList, routeList, zoneName } from "../../src/api/schemas.ts";
import type { WorkerId } from "../../src/domain/ids.ts";
import {
  BINDING_VALUE_BYTES_MAX,
  BINDINGS_MAX,
  DEPLOYABLE_VERSIONS_MAX,
  DEPLOYMENTS_PAGE_DEFAULT,
  DOMAINS_PER_CALL_MAX,
  HOSTNAME_CHARS_MAX,
  ID_CHARS_MAX,
  IDEMPOTENCY_KEY_CHARS_MAX,
  PAGE_ITEMS_DEFAULT,
  PAGE_ITEMS_MAX,
  ROUTE_PATTERN_CHARS_MAX,
  SCRIPTS_LIST_MAX,
  TOKEN_CHARS_MAX,
  VERSION_ENV_BYTES_MAX,
  VERSIONS_PAGE_DEFAULT,
} from "../../src/domain/limits.ts";
import { sha256Hex } from "../../src/store/blobs.ts";
import { storedVersion } from "../support/fixtures.ts";
import { ACCOUNT, apiClient, deployedWorker, SCRIPTS, split, uploadBody } from "./api-fixture.ts";

const text = (name: string, chars = 1) => ({ type: "plain_text", name, text: "x".repeat(chars) });
const texts = (prefix: string, count: number, chars = 1) =>
  Array.from({ length: count }, (_, n) => text(`${prefix}_${String(n).padStart(3, "0")}`, chars));

describe("a version's bindings, with those that it inherits", () => {
  it.each([
    [BINDINGS_MAX, 200, []],
    [BINDINGS_MAX + 1, 400, [{ code: 10055 }]],
  ])("%i together: %i", async (count, status, errors) => {
    const client = await apiClient();
    const { path } = await deployedWorker(client, `b-count-${count}`, {
      bindings: texts("OLD", BINDINGS_MAX - 10),
    });
    const uploaded = await client.call(
      "POST",
      `${path}/versions`,
      uploadBody({
        bindings: texts("NEW", count - (BINDINGS_MAX - 10)),
        keep_bindings: ["plain_text"],
      }),
    );
    expect(uploaded).toMatchObject({ status, errors });
  });

  it.each([
    [VERSION_ENV_BYTES_MAX, 200, []],
    [VERSION_ENV_BYTES_MAX + 1, 400, [{ code: 10021 }]],
  ])("%i bytes together: %i", async (bytes, status, errors) => {
    const client = await apiClient();
    // No one upload's metadata is large enough: it takes what is kept from the version before.
    const old = texts("OLD", 150, BINDING_VALUE_BYTES_MAX);
    const { path } = await deployedWorker(client, `b-bytes-${bytes}`, { bindings: old });
    const added = texts("NEW", 52, BINDING_VALUE_BYTES_MAX);
    const without = JSON.stringify([[...added, text("LAST", 0), ...old], []]).length;
    const uploaded = await client.call(
      "POST",
      `${path}/versions`,
      uploadBody({
        bindings: [...added, text("LAST", bytes - without)],
        keep_bindings: ["plain_text"],
      }),
    );
    expect(uploaded).toMatchObject({ status, errors });
    if (status === 400) expect(uploaded.errors[0]?.message).toContain(`${bytes} bytes`);
  });
});

describe("a page", () => {
  it.each([
    ["deployments", DEPLOYMENTS_PAGE_DEFAULT, PAGE_ITEMS_MAX, `${SCRIPTS}/p-pages/deployments`],
    ["versions", VERSIONS_PAGE_DEFAULT, PAGE_ITEMS_MAX, `${SCRIPTS}/p-pages/versions`],
    ["Workers", PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX, `${ACCOUNT}/workers/workers`],
    ["zones", PAGE_ITEMS_DEFAULT, PAGE_ITEMS_MAX, "/client/v4/zones"],
    ["scripts", SCRIPTS_LIST_MAX, SCRIPTS_LIST_MAX, SCRIPTS],
  ])("of %s has %i items unless asked otherwise, and at most %i", async (_, usual, max, path) => {
    const client = await apiClient();
    await deployedWorker(client, "p-pages");
    const perPage = async (query: string) =>
      (await client.call("GET", `${path}${query}`)).result_info?.["per_page"];
    expect(await perPage("")).toBe(usual);
    expect(await perPage(`?per_page=${max}`)).toBe(max);
    expect(await perPage(`?per_page=${max + 1}`)).toBe(max);
  });

  it("of deployable versions has the newest hundred", async () => {
    const client = await apiClient();
    const { path, versionId } = await deployedWorker(client, "p-deployable");
    const beta = await client.call("GET", `${ACCOUNT}/workers/workers/p-deployable`);
    const ids = async () => {
      const { result } = await client.call("GET", `${path}/versions?deployable=true`);
      return (result.items as { id: string }[]).map(({ id }) => id);
    };
    for (let n = 1; n < DEPLOYABLE_VERSIONS_MAX; n++) {
      await storedVersion(beta.result.id as WorkerId);
    }
    expect(await ids()).toHaveLength(DEPLOYABLE_VERSIONS_MAX);
    expect(await ids()).toContain(versionId);
    await storedVersion(beta.result.id as WorkerId);
    expect(await ids()).toHaveLength(DEPLOYABLE_VERSIONS_MAX);
    expect(await ids()).not.toContain(versionId);
  });
});

describe("what a request says of itself", () => {
  it.each([
    [IDEMPOTENCY_KEY_CHARS_MAX, 200],
    [IDEMPOTENCY_KEY_CHARS_MAX + 1, 400],
  ])("an Idempotency-Key of %i characters: %i", async (chars, status) => {
    const client = await apiClient();
    const { path, versionId } = await deployedWorker(client, `k-${chars}`);
    const headers = { "idempotency-key": "k".repeat(chars) };
    const body = split([versionId, 100]);
    expect((await client.call("POST", `${path}/deployments`, body, headers)).status).toBe(status);
  });

  it.each([
    [TOKEN_CHARS_MAX, 200],
    [TOKEN_CHARS_MAX + 1, 403],
  ])("the right token, of %i characters: %i", async (chars, status) => {
    const token = "t".repeat(chars);
    const client = await apiClient({}, { ROOT_TOKEN_SHA256: await sha256Hex(token) });
    const headers = { authorization: `Bearer ${token}` };
    expect((await client.call("GET", SCRIPTS, undefined, headers)).status).toBe(status);
  });

  it.each([
    [ID_CHARS_MAX, 404, 100146],
    [ID_CHARS_MAX + 1, 400, 130001],
  ])("an unknown version id of %i characters: %i, %i", async (chars, status, code) => {
    const client = await apiClient();
    const { path } = await deployedWorker(client, `i-${chars}`);
    const body = split(["a".repeat(chars), 100]);
    const refused = await client.call("POST", `${path}/deployments`, body);
    expect(refused).toMatchObject({ status, errors: [{ code }] });
  });
});

describe("names and lists of routing", () => {
  const name = (chars: number) => "a.".repeat(chars / 2) + "b".repeat(chars % 2);
  const hostname = (chars: number) => (chars % 2 === 1 ? name(chars) : `${name(chars - 1)}b`);
  const domains = (count: number, host = "a.example") =>
    Array.from({ length: count }, () => ({ hostname: host }));
  const cases: [string, (size: number) => boolean, number][] = [
    [
      "a zone's name, in characters",
      (size) => zoneName.safeParse({ name: hostname(size) }).success,
      HOSTNAME_CHARS_MAX,
    ],
    [
      "a custom domain, in characters",
      (size) => domainList.safeParse(domains(1, hostname(size))).success,
      HOSTNAME_CHARS_MAX,
    ],
    ["custom domains", (size) => domainList.safeParse(domains(size)).success, DOMAINS_PER_CALL_MAX],
    [
      "a route's pattern, in characters",
      (size) => routeList.safeParse(["p".repeat(size)]).success,
      ROUTE_PATTERN_CHARS_MAX,
    ],
  ];
  it.each(cases)("%s", (_, accepts, max) => {
    expect(accepts(max)).toBe(true);
    expect(accepts(max + 1)).toBe(false);
  });
});

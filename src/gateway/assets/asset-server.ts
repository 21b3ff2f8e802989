import type { AssetFile } from "../../domain/assets/asset-files.ts";
import { headerChanges } from "../../domain/assets/custom-headers.ts";
import { type AssetAnswer, decideAnswer } from "../../domain/assets/decide-answer.ts";
import { decodePath } from "../../domain/assets/path-encoding.ts";
import { withinBase } from "../../domain/assets/base-path.ts";
import { whoIsFirst } from "../../domain/assets/worker-first.ts";
import type { VersionId, WorkerId } from "../../domain/ids.ts";
import { ASSET_ANSWER_KEY_CHARS_MAX, ASSET_ANSWERS_KEPT_MAX } from "../../domain/limits-assets.ts";
import type { ControlPlane } from "../control-plane.ts";
import { AssetBytes } from "./asset-bytes.ts";
import { AssetFallbacks, type Found } from "./asset-fallbacks.ts";
import { AssetVersions, type ReadyAssets } from "./asset-versions.ts";
import { assetResponse } from "./asset-response.ts";

export interface AssetServerOptions {
  readonly controlPlane: Pick<ControlPlane, "assets" | "assetFallbacks" | "assetBytes">;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whether missing hashed files are taken from versions deployed earlier. */
  readonly fallback: boolean;
}

/** Whose assets are asked for. */
export interface AssetSubject {
  readonly workerId: WorkerId;
  readonly versionId: VersionId;
}

export interface AssetVisit extends AssetSubject {
  /** Of the deployment by which it is served; null on previews, which show one version and nothing else. */
  readonly seq: number | null;
}

export interface Served {
  readonly response: Response;
  /** What the response carries, unless the request had conditions, and nothing that stands in for it. */
  readonly file?: AssetFile;
  /** The earlier version whose file it is. */
  readonly from?: VersionId;
}

interface Remembered {
  readonly file: AssetFile;
  readonly status: number;
  readonly headers: Headers;
}

/** Answers with static assets. */
export class AssetServer {
  readonly #fallback: boolean;
  readonly #versions: AssetVersions;
  readonly #bytes: AssetBytes;
  readonly #fallbacks: AssetFallbacks;
  readonly #answers = new Map<string, Remembered>();

  constructor(options: AssetServerOptions) {
    this.#fallback = options.fallback;
    this.#versions = new AssetVersions(options);
    this.#bytes = new AssetBytes(options);
    this.#fallbacks = new AssetFallbacks(options);
  }

  /** Most versions have none; nothing is waited for to find that out again. */
  hasNone(versionId: VersionId): boolean {
    return this.#versions.peek(versionId) === null;
  }

  /** The answer that was remembered under this key; null when there is none, or its file is not in memory. */
  recall(key: string): Response | null {
    const known = this.#answers.get(key);
    const bytes = known === undefined ? null : this.#bytes.peek(known.file);
    if (known === undefined || bytes === null) return null;
    return new Response(bytes, { status: known.status, headers: known.headers });
  }

  /** An answer of a whole file, to be given again. */
  remember(key: string, file: AssetFile, { status, headers }: Response): void {
    if (key.length > ASSET_ANSWER_KEY_CHARS_MAX || this.#bytes.peek(file) === null) return;
    if (this.#answers.size >= ASSET_ANSWERS_KEPT_MAX) this.#answers.clear();
    const kept = new Headers(headers);
    if (kept.has("cf-cache-status")) kept.set("cf-cache-status", "HIT");
    this.#answers.set(key, { file, status, headers: kept });
  }

  /** What the version's own code gets when it asks for an asset. Redirects included, fallbacks not. */
  async fetch(subject: AssetSubject, request: Request): Promise<Response> {
    const assets = await this.#versions.get(subject.workerId, subject.versionId);
    if (assets === null) throw new Error("This version has no static assets.");
    const url = new URL(request.url);
    return this.#respond(assets, request, url, decide(assets, request, url, true));
  }

  /** Memory is short. */
  forget(): void {
    this.#bytes.forget();
    this.#answers.clear();
  }

  /** A request to a Worker that may have assets. null: it is for the Worker itself. */
  async serve(visit: AssetVisit, request: Request): Promise<Served | null> {
    const assets = await this.#versions.get(visit.workerId, visit.versionId);
    if (assets === null) return null;
    const url = new URL(request.url);
    const first = assets.assetsOnly
      ? "assets"
      : whoIsFirst(assets.config.workerFirst, url.pathname);
    if (first === "worker") return null;
    const standsIn = first === "assets" || prefersStandIn(assets, request);
    const answer = decide(assets, request, url, standsIn);
    if (!isMissing(answer)) return this.#served(assets, request, url, answer);
    const earlier = await this.#findEarlier(visit, assets, request, url);
    if (earlier !== null) {
      const found = { kind: "file", file: earlier.file, status: 200, isNotFound: false } as const;
      const response = await this.#respond(assets, request, url, found);
      return { response, from: earlier.versionId };
    }
    const isForWorker = first === "either" && (answer.kind === "none" || answer.kind === "outside");
    return isForWorker ? null : this.#served(assets, request, url, answer);
  }

  async #findEarlier(
    { workerId, versionId, seq }: AssetVisit,
    { config }: ReadyAssets,
    { method }: Request,
    { pathname }: URL,
  ): Promise<Found | null> {
    if (!this.#fallback || seq === null || (method !== "GET" && method !== "HEAD")) return null;
    const path = withinBase(decodePath(pathname), config.basePath);
    return path === null ? null : this.#fallbacks.find(workerId, versionId, seq, path);
  }

  async #served(
    assets: ReadyAssets,
    request: Request,
    url: URL,
    answer: AssetAnswer,
  ): Promise<Served> {
    const response = await this.#respond(assets, request, url, answer);
    const isOwn = answer.kind === "file" && !answer.isNotFound;
    return isOwn ? { response, file: answer.file } : { response };
  }

  #respond(
    assets: ReadyAssets,
    request: Request,
    { hostname, pathname }: URL,
    answer: AssetAnswer,
  ): Promise<Response> {
    const changes = headerChanges(assets.headers, hostname, pathname);
    return assetResponse(request, answer, changes, this.#bytes);
  }
}

/** `standsIn`: what `not_found_handling` has counts as an answer. */
const decide = (
  { config, redirects, files }: ReadyAssets,
  { method }: Request,
  url: URL,
  standsIn: boolean,
): AssetAnswer =>
  decideAnswer(
    { method, url },
    standsIn ? config : { ...config, notFoundHandling: "none" },
    redirects,
    (path) => files.get(path),
  );

/** Else the Worker is asked before a page stands in for what there is not. */
const prefersStandIn = ({ config, prefersPages }: ReadyAssets, { headers }: Request): boolean =>
  config.workerFirst.kind === "patterns" ||
  (prefersPages && headers.get("sec-fetch-mode") === "navigate");

const isMissing = (answer: AssetAnswer): boolean =>
  (answer.kind === "none" && !answer.isClaimed) ||
  answer.kind === "outside" ||
  (answer.kind === "file" && answer.isNotFound);

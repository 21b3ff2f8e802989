/** A Worker with static assets on a gateway over a control plane of plain values. */
import type { AssetFile } from "../../../src/domain/assets/asset-files.ts";
import { writeAssetFiles } from "../../../src/domain/assets/asset-files.ts";
import type { StoredAssetsConfig } from "../../../src/domain/assets/assets-config.ts";
import { collectFallbacks } from "../../../src/domain/assets/fallback-files.ts";
import type { VersionId, WorkerId } from "../../../src/domain/ids.ts";
import type { GatewayOptions } from "../../../src/gateway/gateway.ts";
import { fakeSwitchback } from "../fake-control-plane.ts";

export const HOST = "http://web.workers.example";

interface Assets {
  readonly files: Readonly<Record<string, string>>;
  readonly config?: StoredAssetsConfig;
  readonly prefersPages?: boolean;
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
};

export async function withAssets(options: Partial<GatewayOptions> = {}) {
  const switchback = fakeSwitchback(options);
  const { controlPlane } = switchback;
  const workerId = switchback.worker("web");
  const assets = new Map<VersionId, Assets & { readonly stored: ReadonlyMap<string, AssetFile> }>();
  const only = new Set<VersionId>();
  const contents = new Map<string, Uint8Array>();
  const asked = { assets: 0, fallbacks: 0, bytes: 0 };
  Object.assign(controlPlane, {
    assets: async (_: WorkerId, versionId: VersionId) => {
      asked.assets++;
      const found = assets.get(versionId);
      if (found === undefined) return null;
      return {
        files: writeAssetFiles(found.stored),
        config: found.config ?? {},
        assetsOnly: only.has(versionId),
        prefersPages: found.prefersPages ?? true,
      };
    },
    assetFallbacks: async (_: WorkerId, versionId: VersionId) => {
      asked.fallbacks++;
      const others = [...assets].filter(([id]) => id !== versionId).toReversed();
      const own = assets.get(versionId)?.stored ?? new Map();
      return JSON.stringify(
        collectFallbacks(
          own,
          others.map(([id, { stored }]) => ({ versionId: id, files: stored })),
        ),
      );
    },
    assetBytes: async (sha256: string, part: { offset: number; length: number } | null) => {
      asked.bytes++;
      const bytes = contents.get(sha256);
      if (bytes === undefined) return null;
      const { offset, length } = part ?? { offset: 0, length: bytes.byteLength };
      return new Blob([bytes.slice(offset, offset + length)]).stream();
    },
  });
  const healthy = { ...controlPlane };
  async function store(text: string, path: string): Promise<AssetFile> {
    const bytes = new TextEncoder().encode(text);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    contents.set(sha256, bytes);
    const contentType = TYPES[path.slice(path.lastIndexOf(".") + 1)] ?? null;
    return { sha256, size: bytes.byteLength, contentType, etag: sha256.slice(0, 32) };
  }
  return {
    ...switchback,
    workerId,
    asked: { ...switchback.asked, ...asked },
    counts: asked,
    contents,
    /** The control plane answers as at first. */
    heal: () => void Object.assign(controlPlane, healthy),
    /** A version; without a source it is nothing but assets. */
    async assetVersion(given: Assets, source: string | null = null, fields = {}) {
      const versionId = switchback.version(workerId, source ?? "export default {};", fields);
      const stored = new Map<string, AssetFile>();
      for (const [path, text] of Object.entries(given.files))
        stored.set(path, await store(text, path));
      assets.set(versionId, { ...given, stored });
      if (source === null) only.add(versionId);
      return versionId;
    },
    get: (path: string, init?: RequestInit) => switchback.fetch(HOST + path, init),
  };
}

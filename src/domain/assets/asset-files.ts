/** What a version's static assets are, once they are stored. */

/** One file of a version. Its bytes are found by their SHA-256, whatever paths lead to it. */
export interface AssetFile {
  /** Hex SHA-256 of the bytes. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
  /** null: answers have no Content-Type. */
  readonly contentType: string | null;
  /** Without quotes: 32 hex digits. */
  readonly etag: string;
}

/** Files by their path, which begins with a slash and is not percent-encoded. */
export type AssetFiles = ReadonlyMap<string, AssetFile>;

type Row = readonly [
  path: string,
  sha256: string,
  size: number,
  contentType: string | null,
  etag: string,
];

/** The one text of these files: equal files give equal texts. */
export function writeAssetFiles(files: AssetFiles): string {
  const rows = [...files].map(([path, { sha256, size, contentType, etag }]): Row => [
    path,
    sha256,
    size,
    contentType,
    etag,
  ]);
  return JSON.stringify(rows.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The files of such a text, which is ours: whatever else it holds is a bug. */
export function readAssetFiles(text: string): AssetFiles {
  return new Map(
    (JSON.parse(text) as readonly Row[]).map(([path, sha256, size, contentType, etag]) => [
      path,
      { sha256, size, contentType, etag },
    ]),
  );
}

/**
 * A binding on its way into a version's isolate, where the injected code makes the binding of it. `env` carries it,
 * so everything in it is data or a stub.
 */
export interface RawBinding {
  readonly name: string;
  /** As the version declares it. */
  readonly type: string;
  /** The broker; what it may reach is in its own props, out of the version's sight. */
  readonly stub?: Fetcher;
  readonly [field: string]: unknown;
}

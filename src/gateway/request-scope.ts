/** Whose network calls these are. */
export interface EgressProps {
  readonly workerId: string;
}

/** What a service binding names, and who holds it. */
export interface ServiceBindingProps {
  readonly callerWorkerId: string;
  /** The binding's name in the caller. */
  readonly binding: string;
  readonly workerName: string;
  readonly entrypoint?: string;
  /** Handed to the target as its `ctx.props`. */
  readonly props?: unknown;
}

export type BrokerName =
  | "KvBinding"
  | "R2Binding"
  | "D1Binding"
  | "QueueBinding"
  | "CacheBinding"
  | "AnalyticsBinding"
  | "RateLimitBinding"
  | "AssetsBinding"
  | "DurableObjectBinding"
  | "TailCollector";

/** What belongs to the request at hand: how to keep working after the answer, and the way out of loaded code. */
export interface RequestScope {
  waitUntil(work: Promise<unknown>): void;
  egress(props: EgressProps): Fetcher;
  serviceBinding(props: ServiceBindingProps): Fetcher;
  /** The broker of a binding, by the name under which the main module exports it. Its props are its whole identity. */
  binding(broker: BrokerName, props: Readonly<Record<string, unknown>>): Fetcher;
}

/** The part of an execution context that the gateway uses; the main module exports both entrypoints. */
export interface GatewayContext {
  waitUntil(work: Promise<unknown>): void;
  readonly exports: {
    readonly Egress: (options: { props: EgressProps }) => Fetcher;
    readonly ServiceBinding: (options: { props: ServiceBindingProps }) => Fetcher;
  } & Readonly<Record<BrokerName, (options: { props: unknown }) => Fetcher>>;
}

export const requestScope = (ctx: GatewayContext): RequestScope => ({
  waitUntil: (work) => ctx.waitUntil(work),
  egress: (props) => ctx.exports.Egress({ props }),
  serviceBinding: (props) => ctx.exports.ServiceBinding({ props }),
  binding: (broker, props) => ctx.exports[broker]({ props }),
});

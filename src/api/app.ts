/** The control host: health, and Cloudflare's v4 API under /client/v4. Wiring only. */
import { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { requestId } from "hono/request-id";
import { routePath } from "hono/route";
import { count } from "../observability/counters.ts";
import { logEvent } from "../observability/log.ts";
import { ensureAccount } from "../store/workers.ts";
import { apiConfigOf, type ApiContext, type ApiEnv, type ContextFor } from "./api-env.ts";
import { authenticate, sameAccount } from "./auth.ts";
import { refuse, Refused } from "./envelope.ts";
import { assetSessionRoutes, assetUploadRoutes } from "./routes/assets.ts";
import { analyticsRoutes } from "./routes/analytics.ts";
import { breakerRoutes } from "./routes/breakers.ts";
import { d1Routes } from "./routes/d1.ts";
import { D1_FILES_PATH, d1FileRoutes, d1TransferRoutes } from "./routes/d1-transfers.ts";
import { deployableVersionRoutes } from "./routes/deployable-versions.ts";
import { deploymentRoutes } from "./routes/deployments.ts";
import { domainRoutes } from "./routes/domains.ts";
import { durableObjectRoutes } from "./routes/durable-objects.ts";
import { healthRoutes } from "./routes/health.ts";
import { kvRoutes } from "./routes/kv.ts";
import { laterRoutes } from "./routes/later.ts";
import { leaseRoutes } from "./routes/leases.ts";
import { r2Routes } from "./routes/r2.ts";
import { queueRoutes } from "./routes/queues.ts";
import { revokedSecretRoutes } from "./routes/revoked-secrets.ts";
import { rollbackRoutes } from "./routes/rollbacks.ts";
import { scheduleRoutes } from "./routes/schedules.ts";
import { scriptRouteRoutes } from "./routes/script-routes.ts";
import { scriptSettingsRoutes } from "./routes/script-settings.ts";
import { scriptRoutes } from "./routes/scripts.ts";
import { secretRoutes } from "./routes/secrets.ts";
import { secretsKeyRoutes } from "./routes/secrets-key.ts";
import { serviceRoutes } from "./routes/services.ts";
import { accountSubdomainRoutes, scriptSubdomainRoutes } from "./routes/subdomains.ts";
import { tailDoorRoutes, tailRoutes } from "./routes/tails.ts";
import { versionRoutes } from "./routes/versions.ts";
import { whoamiRoutes } from "./routes/whoami.ts";
import { workerVersionRoutes } from "./routes/worker-versions.ts";
import { workerRoutes } from "./routes/workers.ts";
import { zoneRoutes } from "./routes/zones.ts";
import { discardUnreadBody } from "./unread-body.ts";

const BASE = "/client/v4";
const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

export function createApi(contextFor: ContextFor): Hono<ApiEnv> {
  const app = new Hono<ApiEnv>();
  // Before all that touches answers: one that carries a WebSocket has to pass as it is.
  app.route("/tails", tailDoorRoutes(contextFor));
  app.use(countRequests);
  app.use(requestId());
  app.use(discardUnreadBody);
  app.onError((error, c) =>
    error instanceof Refused ? refuse(c, error.refusal) : answerBug(c, error),
  );
  app.notFound((c) => answerNoRoute(app, c));
  app.route("/", healthRoutes);
  app.route(D1_FILES_PATH, d1FileRoutes(contextFor));

  app.route(`${BASE}/accounts/:accountId/workers/assets/upload`, assetUploadRoutes(contextFor));

  app.use(`${BASE}/*`, authenticate(contextFor));
  app.use(`${BASE}/*`, configure());
  app.use(`${BASE}/accounts/:accountId/*`, sameAccount);
  app.use(`${BASE}/accounts/:accountId`, sameAccount);
  app.route(BASE, whoamiRoutes);
  app.route(`${BASE}/zones`, zoneRoutes);

  const account = `${BASE}/accounts/:accountId`;
  app.route(`${account}/workers/services`, serviceRoutes);
  app.route(`${account}/workers/subdomain`, accountSubdomainRoutes);
  app.route(`${account}/workers/workers`, workerRoutes);
  app.route(`${account}/workers/workers`, workerVersionRoutes);
  app.route(`${account}/workers/domains`, domainRoutes);
  for (const routes of [
    scriptRoutes,
    scriptSettingsRoutes,
    secretRoutes,
    scriptSubdomainRoutes,
    scriptRouteRoutes,
    versionRoutes,
    deploymentRoutes,
    rollbackRoutes,
    deployableVersionRoutes,
    revokedSecretRoutes,
    leaseRoutes,
    breakerRoutes,
    scheduleRoutes,
    tailRoutes,
    assetSessionRoutes,
  ]) {
    app.route(`${account}/workers/scripts`, routes);
  }
  app.route(`${account}/storage/kv/namespaces`, kvRoutes);
  app.route(`${account}/analytics_engine`, analyticsRoutes);
  app.route(`${account}/d1/database`, d1Routes);
  app.route(`${account}/d1/database`, d1TransferRoutes);
  app.route(`${account}/r2/buckets`, r2Routes);
  app.route(`${account}/queues`, queueRoutes);
  app.route(`${account}/secrets_key`, secretsKeyRoutes);
  app.route(`${account}/workers/durable_objects/namespaces`, durableObjectRoutes);
  app.route(account, laterRoutes);
  return app;
}

/** By the route's pattern, not its path: a client cannot make new ones. */
const countRequests = createMiddleware<ApiEnv>(async (c, next) => {
  await next();
  const status = String(c.res.status);
  count("api_requests", { method: methodOf(c), route: routePath(c, -1), status });
});

const methodOf = (c: ApiContext): string =>
  METHODS.find((method) => method === c.req.method) ?? "other";

/** Before the first request of all does anything, the account has to be a row. */
function configure() {
  let hasAccount = false;
  return createMiddleware<ApiEnv>(async (c, next) => {
    const config = apiConfigOf(c.env);
    c.set("config", config);
    if (!hasAccount) {
      const { context } = c.var;
      const account = { id: context.accountId, name: config.accountName, createdOn: context.now() };
      await ensureAccount(context.db, account);
      hasAccount = true;
    }
    await next();
  });
}

/** Cloudflare's answers to a path or a method that there is not. */
function answerNoRoute(app: Hono<ApiEnv>, c: ApiContext): Response {
  const { method, path } = c.req;
  const exists = METHODS.some((other) =>
    app.router.match(other, path)[0].some(([[, route]]) => route.method === other),
  );
  if (exists) {
    const message = `Method ${method} not available for that URI.`;
    return refuse(c, { status: 405, errors: [{ code: 7001, message }] });
  }
  const shown = path.startsWith(BASE) ? path.slice(BASE.length) : path;
  const message = `Could not route to ${shown.slice(0, 500)}, perhaps your object identifier is invalid?`;
  return refuse(c, { status: 404, errors: [{ code: 7003, message }] });
}

/** Nothing that a client sends leads here: it is ours to mend, and the log says how. */
function answerBug(c: ApiContext, error: Error): Response {
  const request = c.var.requestId;
  const { method, path } = c.req;
  logEvent("error", "request_failed", {
    request,
    method,
    path,
    error: error.stack ?? String(error),
  });
  const message = `Something went wrong here, not in your request. The host's log says more under the request id ${request}.`;
  return refuse(c, { status: 500, errors: [{ code: 10013, message }], retryAfterSeconds: 1 });
}

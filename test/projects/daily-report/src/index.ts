interface Env {
  readonly REPORTS: KVNamespace;
}

export default {
  async fetch(_request, env) {
    const { keys } = await env.REPORTS.list<{ cron: string }>();
    return Response.json(keys.map(({ name, metadata }) => ({ at: name, ...metadata })));
  },

  scheduled(controller, env, ctx) {
    const at = new Date(controller.scheduledTime).toISOString();
    ctx.waitUntil(env.REPORTS.put(at, "done", { metadata: { cron: controller.cron } }));
  },
} satisfies ExportedHandler<Env>;

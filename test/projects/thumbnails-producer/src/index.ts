interface Job {
  readonly image: string;
  readonly size: number;
}

interface Env {
  readonly JOBS: Queue<Job>;
  readonly RESULTS: KVNamespace;
}

export default {
  async fetch(request, env) {
    if (request.method === "GET") {
      const { keys } = await env.RESULTS.list<{ attempts: number; queue: string }>();
      return Response.json(keys.map(({ name, metadata }) => ({ name, ...metadata })));
    }
    const images = await request.json<string[]>();
    await env.JOBS.sendBatch(
      images.map((image) => ({ body: { image, size: 128 }, contentType: "json" })),
    );
    return new Response(null, { status: 202 });
  },
} satisfies ExportedHandler<Env>;

interface Env {
  readonly GREETING: string;
}

export default {
  fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/api/greeting") return Response.json({ greeting: env.GREETING });
    return Response.json({ error: `no such part of the API: ${pathname}` }, { status: 404 });
  },
} satisfies ExportedHandler<Env>;

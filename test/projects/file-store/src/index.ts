interface Env {
  readonly FILES: R2Bucket;
}

async function serve(request: Request, bucket: R2Bucket, key: string): Promise<Response> {
  const object = await bucket.get(key, { range: request.headers, onlyIf: request.headers });
  if (object === null) return new Response("no such file", { status: 404 });
  const headers = new Headers({ etag: object.httpEtag, "accept-ranges": "bytes" });
  object.writeHttpMetadata(headers);
  if (!("body" in object)) return new Response(null, { status: 304, headers });
  if (request.headers.has("range") && object.range !== undefined) {
    const { offset = 0, length = object.size } = object.range as {
      offset?: number;
      length?: number;
    };
    headers.set("content-range", `bytes ${offset}-${offset + length - 1}/${object.size}`);
    return new Response(object.body, { status: 206, headers });
  }
  return new Response(object.body, { headers });
}

async function multipart(request: Request, bucket: R2Bucket, key: string): Promise<Response> {
  const query = new URL(request.url).searchParams;
  const uploadId = query.get("uploadId");
  if (uploadId === null) {
    const upload = await bucket.createMultipartUpload(key, {
      customMetadata: { from: "multipart" },
    });
    return Response.json({ uploadId: upload.uploadId });
  }
  const upload = bucket.resumeMultipartUpload(key, uploadId);
  if (request.method === "PUT") {
    if (request.body === null) return new Response("a body, please", { status: 400 });
    return Response.json(await upload.uploadPart(Number(query.get("part")), request.body));
  }
  if (request.method === "DELETE") {
    await upload.abort();
    return new Response(null, { status: 204 });
  }
  const object = await upload.complete(await request.json<R2UploadedPart[]>());
  return Response.json({ size: object.size, etag: object.etag });
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const key = decodeURIComponent(url.pathname.slice(1));
    if (key === "") {
      const { objects } = await env.FILES.list({ include: ["customMetadata"] });
      return Response.json(
        objects.map(({ key, size, customMetadata }) => ({ key, size, customMetadata })),
      );
    }
    if (url.searchParams.has("multipart")) return multipart(request, env.FILES, key);
    switch (request.method) {
      case "GET":
        return serve(request, env.FILES, key);
      case "PUT": {
        const object = await env.FILES.put(key, request.body, {
          httpMetadata: request.headers,
          onlyIf: request.headers,
        });
        return object === null
          ? new Response("changed meanwhile", { status: 412 })
          : Response.json({ etag: object.httpEtag, size: object.size });
      }
      case "DELETE":
        await env.FILES.delete(key);
        return new Response(null, { status: 204 });
      default:
        return new Response(null, { status: 405 });
    }
  },
} satisfies ExportedHandler<Env>;

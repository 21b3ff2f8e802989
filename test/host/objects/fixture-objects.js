/** Stands in for the Worker in a process of Durable Objects: one object per name, that counts, sets alarms, blocks, and fills the memory. */
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

let idleMs = 0;
let looks = 0;

export class GatewayEntrypoint extends WorkerEntrypoint {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    if (pathname === "/alive") return new Response(null, { status: 204 });
    looks += pathname === "/objects" ? 1 : 0;
    if (pathname === "/objects") return Response.json({ busy: 0, idleMs, webSockets: false });
    return new Response(null, { status: 404 });
  }
}

export class ObjectsDoor extends WorkerEntrypoint {
  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/worker") return new Response(this.env.WORKER_ID);
    if (pathname === "/idle") idleMs = 1e9;
    if (pathname === "/looks") return new Response(String(looks));
    if (pathname === "/idle") return new Response("idle");
    if (pathname === "/block") for (;;);
    const filled = [];
    for (let left = Number(searchParams.get("bytes")); pathname === "/fill"; left -= 1e7)
      if (left > 0) filled.push(new Uint8Array(1e7).fill(1));
    const object = this.env.OBJECT_HOSTS.getByName("one");
    if (pathname === "/alarm") await object.alarmIn(Number(searchParams.get("ms")));
    return new Response(String(await object.count()));
  }
}

export class ObjectHost extends DurableObject {
  #add(name) {
    const count = (this.ctx.storage.kv.get(name) ?? 0) + 1;
    this.ctx.storage.kv.put(name, count);
    return count;
  }
  count() {
    return `${this.#add("calls")} calls, ${this.ctx.storage.kv.get("alarms") ?? 0} alarms`;
  }
  alarmIn(ms) {
    return this.ctx.storage.setAlarm(Date.now() + ms);
  }
  alarm() {
    this.#add("alarms");
  }
}

export default { fetch: () => new Response(null, { status: 404 }) };

/** Upload bodies as real clients sent them, byte for byte. */

/** `wrangler versions upload --message --tag --preview-alias` of a Worker with one binding of each kind. */
export const WRANGLER_UPLOAD = {
  contentType: "multipart/form-data; boundary=----formdata-undici-064163171197",
  body: [
    "------formdata-undici-064163171197",
    'Content-Disposition: form-data; name="metadata"',
    "",
    '{"main_module":"index.js","bindings":[{"name":"PLAIN","type":"plain_text","text":"text"},{"name":"JSONVAR","type":"json","json":{"a":1}},{"name":"KV","type":"kv_namespace","namespace_id":"0f2ac74b498b48028cb68387c421e279"},{"name":"EMAIL","type":"send_email"},{"name":"COUNTER","type":"durable_object_namespace","class_name":"Counter"},{"name":"Q","type":"inherit"},{"name":"BUCKET","type":"r2_bucket","bucket_name":"my-bucket"},{"name":"DB","type":"d1","id":"e8b2c1f4-3f0a-4b6d-9c2e-1a2b3c4d5e6f"},{"name":"HD","type":"hyperdrive","id":"a76a99bc342644deb02c38d66082262a"},{"name":"RL","type":"ratelimit","namespace_id":"1001","simple":{"limit":10,"period":60}},{"name":"SVC","type":"service","service":"hello"},{"name":"SVC_EP","type":"service","service":"hello","entrypoint":"Named","props":{"x":1}},{"name":"AE","type":"analytics_engine","dataset":"ds"},{"name":"BROWSER","type":"browser"},{"name":"AI","type":"ai"},{"name":"CF_VERSION","type":"version_metadata"}],"compatibility_date":"2026-10-01","compatibility_flags":["nodejs_compat"],"keep_bindings":["secret_text","secret_key"],"placement":{"mode":"smart"},"tail_consumers":[{"service":"hello"}],"limits":{"cpu_ms":100},"annotations":{"workers/message":"Fix login bug","workers/tag":"v1.2.3","workers/alias":"staging"}}',
    "------formdata-undici-064163171197",
    'Content-Disposition: form-data; name="index.js"; filename="index.js"',
    "Content-Type: application/javascript+module",
    "",
    'var __defProp = Object.defineProperty;\nvar __name = (target, value) => __defProp(target, "name", { value, configurable: true });\n\n// src/index.ts\nimport { DurableObject } from "cloudflare:workers";\nimport html from "./5f1c1bcbe8be31cc950ac52c2765435ce4434c67-page.html";\n\n// src/helper.ts\nvar helper = /* @__PURE__ */ __name(() => "h", "helper");\n\n// src/index.ts\nvar Counter = class extends DurableObject {\n  static {\n    __name(this, "Counter");\n  }\n  async inc() {\n    return 1;\n  }\n};\nvar index_default = {\n  async fetch(req, env) {\n    return new Response(html + helper());\n  },\n  async scheduled(c) {\n  },\n  async queue(b) {\n  }\n};\nexport {\n  Counter,\n  index_default as default\n};\n//# sourceMappingURL=index.js.map\n',
    "------formdata-undici-064163171197",
    'Content-Disposition: form-data; name="./5f1c1bcbe8be31cc950ac52c2765435ce4434c67-page.html"; filename="./5f1c1bcbe8be31cc950ac52c2765435ce4434c67-page.html"',
    "Content-Type: text/plain",
    "",
    "<h1>hi</h1>\n",
    "------formdata-undici-064163171197",
    'Content-Disposition: form-data; name="index.js.map"; filename="index.js.map"',
    "Content-Type: application/source-map",
    "",
    '{"version":3,"sources":["src/index.ts","src/helper.ts"],"sourceRoot":"","sourcesContent":["import { DurableObject } from \\"cloudflare:workers\\";\\nimport html from \\"./page.html\\";\\nimport { helper } from \\"./helper\\";\\nexport class Counter extends DurableObject { async inc() { return 1; } }\\nexport default {\\n  async fetch(req: Request, env: any): Promise<Response> { return new Response(html + helper()); },\\n  async scheduled(c: any) {},\\n  async queue(b: any) {},\\n};\\n","export const helper = () => \\"h\\";\\n"],"mappings":";;;;AAAA,SAAS,qBAAqB;AAC9B,OAAO,UAAU;;;ACDV,IAAM,SAAS,6BAAM,KAAN;;;ADGf,IAAM,UAAN,cAAsB,cAAc;AAAA,EAH3C,OAG2C;AAAA;AAAA;AAAA,EAAE,MAAM,MAAM;AAAE,WAAO;AAAA,EAAG;AAAE;AACvE,IAAO,gBAAQ;AAAA,EACb,MAAM,MAAM,KAAc,KAA6B;AAAE,WAAO,IAAI,SAAS,OAAO,OAAO,CAAC;AAAA,EAAG;AAAA,EAC/F,MAAM,UAAU,GAAQ;AAAA,EAAC;AAAA,EACzB,MAAM,MAAM,GAAQ;AAAA,EAAC;AACvB;","names":[],"file":"index.js"}',
    "------formdata-undici-064163171197--",
    "",
  ].join("\r\n"),
};

/** `client.workers.scripts.update(…)` of the `cloudflare` SDK 7: a multipart body under another type. */
export const SDK_SCRIPT_UPDATE = {
  contentType: "application/javascript",
  body: [
    "------formdata-undici-095709138912",
    'Content-Disposition: form-data; name="metadata[main_module]"',
    "",
    "w.mjs",
    "------formdata-undici-095709138912",
    'Content-Disposition: form-data; name="files[]"; filename="w.mjs"',
    "Content-Type: application/javascript+module",
    "",
    "export default {}",
    "------formdata-undici-095709138912--",
    "",
  ].join("\r\n"),
};

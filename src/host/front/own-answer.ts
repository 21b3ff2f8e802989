/** The bytes of an answer of the front's own. */
import { STATUS_CODES } from "node:http";
import type { OwnAnswer } from "./switchyard.ts";

/** `toHead`: the request was a HEAD, which is told the length of a body that it does not get. */
export function ownAnswerBytes(answer: OwnAnswer, toHead: boolean, close: boolean): Buffer {
  const body = Buffer.from(answer.body);
  const lines = [`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ""}`];
  for (const [name, value] of Object.entries(answer.headers)) {
    if (/^(?:content-length|connection|transfer-encoding)$/i.test(name)) continue;
    lines.push(`${name}: ${value.replaceAll(/[\r\n\0]/g, " ")}`);
  }
  const bodiless = answer.status === 204 || answer.status === 304;
  if (!bodiless) lines.push(`content-length: ${body.length}`);
  if (close) lines.push("connection: close");
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  return toHead || bodiless ? head : Buffer.concat([head, body]);
}

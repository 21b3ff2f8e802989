/** A `Flight`; its id is made when somebody asks for it, as few requests need one. */
import type { FrontContext } from "./client-side.ts";
import type { RequestHead } from "./request-head.ts";
import type { Flight } from "./switchyard.ts";

export class FlightRecord implements Flight {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly replayable: boolean;
  readonly startedAt: number;
  tries = 0;
  readonly #context: FrontContext;
  #id = "";

  constructor(head: RequestHead, context: FrontContext) {
    this.host = head.host;
    this.method = head.method;
    this.path = head.path;
    this.replayable = head.replayable;
    this.startedAt = context.now();
    this.#context = context;
  }

  get id(): string {
    if (this.#id === "") this.#id = this.#context.newId();
    return this.#id;
  }
}

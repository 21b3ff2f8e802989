/** What a host does for the one that it succeeds. */
import { rmSync, symlinkSync } from "node:fs";
import { dirname } from "node:path";
import { controlSockets, type ControlSockets } from "./runtime-options.ts";

/**
 * The predecessor's gateways serve their last requests by what the new control process says is current: to be called
 * before that acknowledges anything. Should the predecessor take the control plane back, it binds its path anew.
 */
export function answerGatewaysOf(predecessorApi: string, { internal }: ControlSockets): void {
  const path = controlSockets(dirname(predecessorApi)).internal;
  rmSync(path, { force: true });
  symlinkSync(internal, path);
}

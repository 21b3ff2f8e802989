import type { DeployProgress } from "../../control/worker-lock.ts";
import { toWireRefusal } from "../errors.ts";
import { toWireReceipt } from "./receipt.ts";

/** How far a deployment is. One that was given up is no failure of the question: its refusal is the answer. */
export function toWireStatus(id: string, progress: DeployProgress) {
  switch (progress.state) {
    case "draining":
      return { id, status: "draining", wait_ms: progress.waitMs };
    case "visible":
      return { id, status: "visible", receipt: toWireReceipt(progress.receipt) };
    case "refused": {
      const refused = toWireRefusal(progress.error).errors[0];
      return { id, status: "given_up", code: refused?.code, message: refused?.message };
    }
  }
}

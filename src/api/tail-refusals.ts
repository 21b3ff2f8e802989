import { bad, type Kind, type WireRefusal } from "./wire-refusal.ts";

export const tailRefusal = ({ max }: Kind<"too_many_tails">): WireRefusal =>
  bad(
    130080,
    `This Worker has ${max} tails already. End one of them (Ctrl+C in its wrangler tail); one that lost its connection goes by itself.`,
  );

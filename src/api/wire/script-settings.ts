import type { Version } from "../../domain/version.ts";
import type { Worker } from "../../domain/worker.ts";

/** The settings that no version carries, filled up with what they are when nobody has set them. */
export const toWireScriptSettings = ({ settings }: Worker) => ({
  logpush: settings["logpush"] ?? false,
  observability: settings["observability"] ?? { enabled: false },
  tags: settings["tags"] ?? [],
  tail_consumers: settings["tail_consumers"] ?? [],
});

/** `GET …/settings`: the latest version's settings and the Worker's together. */
export const toWireSettings = (worker: Worker, latest: Version | null) => ({
  ...latest?.settings,
  ...toWireScriptSettings(worker),
  bindings: latest?.bindings ?? [],
  compatibility_date: latest?.compatibilityDate ?? "",
  compatibility_flags: latest?.compatibilityFlags ?? [],
  usage_model: latest?.settings["usage_model"] ?? "standard",
  placement: latest?.settings["placement"] ?? {},
  limits: latest?.settings["limits"] ?? {},
});

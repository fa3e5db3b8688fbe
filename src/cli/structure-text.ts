/** What only the configuration file says, as it may be shown: who is told of what, and nothing that may be secret. */
import { redactStoreUrl } from "../base/redact.ts";
import type { Config } from "../config/config.ts";
import type { Receiver, StructureName } from "../config/structures.ts";
import { formatDurationMs } from "../config/units.ts";

export function structureText({ hooks = [], alerts = [], backup }: Config, name: StructureName): string {
  switch (name) {
    case "hooks":
      return textOf(hooks.map((hook) => `${hook.on.join(" ")} → ${receiverText(hook)}`));
    case "alerts":
      return textOf(alerts.map((alert) => `${alert.when} → ${receiverText(alert)}`));
    case "backup":
      if (backup === undefined) return "off";
      return `${redactStoreUrl(backup.to)} every ${formatDurationMs(backup.everyMs)}, ${backup.keep} kept`;
  }
}

/** Arguments, and all of an address but its host, may be secret. */
export function receiverText({ run = [], post }: Receiver): string {
  return post === undefined ? (run[0] ?? "") : new URL(post).origin;
}

function textOf(parts: readonly string[]): string {
  return parts.length === 0 ? "off" : parts.join("; ");
}

/** What goes on behind a process that has sessions: others are told what happens to them. Loaded when it is needed. */
import type { Logger } from "./base/log.ts";
import type { Secrets } from "./base/secrets.ts";
import { waitAtMost } from "./base/time.ts";
import { withheldBy } from "./config/agent-command.ts";
import type { Config } from "./config/config.ts";
import { outboxOf, surroundings, type Surroundings } from "./config/paths.ts";
import { lateHooks, type LateHooks } from "./notify/late.ts";
import type { SessionRegistry } from "./session/registry.ts";

export interface BackgroundParts {
  readonly registry: SessionRegistry;
  readonly log: Logger;
  /** What is to be in nothing that others are told. */
  readonly secrets?: Secrets;
  readonly env?: Surroundings["env"];
}

export interface Background {
  /** Settles when what was begun has ended, or after `graceMs`: the next process goes on with it. */
  close(graceMs: number): Promise<void>;
}

export function startBackground(config: Omit<Config, "store">, parts: BackgroundParts): Background {
  const hooks = hooksFor(config, parts);
  return {
    close: async (graceMs) => {
      // What has just happened is told, too.
      if (hooks !== undefined) await waitAtMost(parts.registry.delivered(), graceMs);
      await hooks?.close(graceMs);
    },
  };
}

/** Undefined where nobody is told. */
function hooksFor(
  config: Omit<Config, "store">,
  { registry, log, secrets, env }: BackgroundParts,
): LateHooks | undefined {
  const folder = outboxOf(surroundings(env));
  if (config.hooks === undefined || config.hooks.length === 0 || folder === undefined) return undefined;
  const hooks = lateHooks(async () => {
    const { Hooks } = await import("./notify/hooks.ts");
    const hide = (text: string) => secrets?.hide(text) ?? text;
    return new Hooks({ config, registry, log, folder, hide, withheld: withheldBy(config) });
  });
  registry.follow(hooks.follower);
  return hooks;
}

/** What goes on behind a process that has sessions: others are told, and the store is looked after. Loaded when it is due. */
import { Interval } from "./base/interval.ts";
import type { Logger } from "./base/log.ts";
import { noMeter, type Counting } from "./base/meter.ts";
import type { Secrets } from "./base/secrets.ts";
import { waitAtMost } from "./base/time.ts";
import { withheldBy } from "./config/agent-command.ts";
import type { Config } from "./config/config.ts";
import { outboxOf, surroundings, type Surroundings } from "./config/paths.ts";
import { lateHooks, type LateHooks } from "./notify/late.ts";
import { TurnNotes } from "./notify/turn-notes.ts";
import type { Follower } from "./session/events.ts";
import type { SessionRegistry } from "./session/registry.ts";
import type { Store } from "./store/contract.ts";
import type { Rounds } from "./upkeep/rounds.ts";

interface LookedAfter {
  readonly store: Store;
  readonly url: string;
  /** Whether a turn runs here in another registry. */
  readonly isBusy?: () => boolean;
}

export interface BackgroundParts {
  readonly registry: SessionRegistry;
  /** The registry's, and its URL: it is looked after, while no turn runs. */
  readonly lookedAfter?: LookedAfter;
  readonly log: Logger;
  readonly meter?: Counting | undefined;
  /** What is to be in nothing that others are told. */
  readonly secrets?: Secrets;
  readonly env?: Surroundings["env"];
}

export interface Background {
  /** For further registries of the same store, whose news are to be told as well. Undefined where nobody is told. */
  readonly follower?: Follower | undefined;
  /** Settles when what was begun has ended, or after `graceMs`: the next process goes on with it. */
  close(graceMs: number): Promise<void>;
}

export function startBackground(config: Omit<Config, "store">, parts: BackgroundParts): Background {
  const hooks = hooksFor(config, parts);
  const upkeep = upkeepFor(config, parts);
  return {
    follower: hooks?.follower,
    close: async (graceMs) => {
      await waitAtMost(upkeep?.close(graceMs) ?? Promise.resolve(), graceMs);
      // What has just happened is told, too.
      if (hooks !== undefined) await waitAtMost(parts.registry.delivered(), graceMs);
      await hooks?.close(graceMs);
    },
  };
}

/** Undefined where nobody is told. */
function hooksFor(
  config: Omit<Config, "store">,
  { registry, lookedAfter, log, meter = noMeter, secrets, env }: BackgroundParts,
): LateHooks | undefined {
  const folder = outboxOf(surroundings(env));
  const { hooks: wanted = [] } = config;
  if (wanted.length === 0 || folder === undefined) return undefined;
  const isOfTurns = wanted.some(({ on }) => on.includes("turn.ended") || on.includes("permission.asked"));
  const notes = lookedAfter && isOfTurns ? new TurnNotes(folder, lookedAfter.url, log) : undefined;
  const hooks = lateHooks(notes, async () => {
    const { Hooks } = await import("./notify/hooks.ts");
    const hide = (text: string) => secrets?.hide(text) ?? text;
    return new Hooks({ config, registry, notes, log, meter, folder, hide, withheld: withheldBy(config) });
  });
  registry.follow(hooks.follower);
  return hooks;
}

/** Whether a round is due is asked once a minute at most, and not in the first one: nothing is loaded for it then. */
const lookedAtEachMs = 60_000;

/** Undefined where nothing is looked after: who acts by a token, which may do less, leaves that to others. */
function upkeepFor(
  config: Omit<Config, "store">,
  { registry, lookedAfter, log, meter = noMeter, env }: BackgroundParts,
): Background | undefined {
  const { upkeepIntervalMs, token } = config;
  if (lookedAfter === undefined || upkeepIntervalMs === 0 || token !== undefined) return undefined;
  const { store, url, isBusy } = lookedAfter;
  let rounds: Rounds | undefined;
  const interval = new Interval(Math.min(upkeepIntervalMs, lookedAtEachMs), async () => {
    const { Rounds } = await import("./upkeep/rounds.ts");
    rounds ??= new Rounds({
      config: { ...config, store: url },
      registry,
      ...{ store, isBusy, log, meter },
      ...(env && { env }),
    });
    await rounds.tick();
  });
  return {
    close: async (graceMs) => {
      rounds?.abort();
      await interval.close();
      await rounds?.close(graceMs);
    },
  };
}

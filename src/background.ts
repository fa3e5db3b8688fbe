/** What goes on behind a process that has sessions: others are told, and the store is looked after. Loaded when it is due. */
import { Interval } from "./base/interval.ts";
import type { Logger } from "./base/log.ts";
import { noMeter, type Counting } from "./base/meter.ts";
import type { Secrets } from "./base/secrets.ts";
import { waitAtMost } from "./base/time.ts";
import { withheldBy } from "./config/agent-command.ts";
import type { Config } from "./config/config.ts";
import type { Hook } from "./config/structures.ts";
import { outboxOf, surroundings, type Surroundings } from "./config/paths.ts";
import { lateHooks, lateNotes, type LateHooks, type LateNotes } from "./notify/late.ts";
import { TurnNotes } from "./notify/turn-notes.ts";
import type { SessionRegistry } from "./session/registry.ts";
import type { Store } from "./store/contract.ts";
import { guardOf } from "./store/guarded/guard.ts";
import type { Rounds } from "./upkeep/rounds.ts";

interface Place {
  readonly store: Store;
  readonly url: string;
}

interface LookedAfter extends Place {
  /** Whether a turn runs here in another registry. */
  readonly isBusy?: () => boolean;
}

export interface BackgroundParts {
  readonly registry: SessionRegistry;
  /** The registry's, and its URL: it is looked after, while no turn runs. */
  readonly lookedAfter?: LookedAfter;
  /** The same where somebody else looks after it: what is to be told is noted there all the same. */
  readonly place?: Place;
  readonly log: Logger;
  readonly meter?: Counting | undefined;
  /** What is to be in nothing that others are told. */
  readonly secrets?: Secrets;
  readonly env?: Surroundings["env"];
}

export interface Background {
  /** For further registries of the same store, whose news are to be told as well. Undefined where nobody is told. */
  readonly follow?: ((registry: SessionRegistry) => void) | undefined;
  /** Settles when what was begun has ended, or after `graceMs`: the next process goes on with it. */
  close(graceMs: number): Promise<void>;
}

export function startBackground(config: Omit<Config, "store">, parts: BackgroundParts): Background {
  const hooks = hooksFor(config, parts);
  const upkeep = upkeepFor(config, parts);
  return {
    follow: hooks?.follow,
    close: async (graceMs) => {
      await waitAtMost(upkeep?.close(graceMs) ?? Promise.resolve(), graceMs);
      // What has just happened is told, too.
      if (hooks !== undefined) await waitAtMost(parts.registry.delivered(), graceMs);
      await hooks?.close(graceMs);
    },
  };
}

interface Told {
  readonly follow: (registry: SessionRegistry) => void;
  readonly close: LateHooks["close"];
}

/** Undefined where nobody is told. */
function hooksFor(config: Omit<Config, "store">, parts: BackgroundParts): Told | undefined {
  const { registry, lookedAfter, place = lookedAfter, log, meter = noMeter, secrets, env } = parts;
  const folder = outboxOf(surroundings(env));
  const { hooks: wanted = [] } = config;
  if (wanted.length === 0 || folder === undefined) return undefined;
  const isOfTurns = wanted.some(({ on }) => on.includes("turn.ended") || on.includes("permission.asked"));
  const notes = place && isOfTurns ? new TurnNotes(folder, place.url, wanted, log) : undefined;
  const sessions = place && notesFor(place, { folder, hooks: wanted, log });
  const hooks = lateHooks(notes, async () => {
    const { Hooks } = await import("./notify/hooks.ts");
    const hide = (text: string) => secrets?.hide(text) ?? text;
    const told = { notes, sessions: await sessions?.loaded(), hide, withheld: withheldBy(config) };
    return new Hooks({ config, registry, log, meter, folder, ...told });
  });
  const follow = (each: SessionRegistry) =>
    void each.follow(hooks.follower, { ...(sessions && { notes: sessions }) });
  follow(registry);
  return { follow, close: (graceMs) => hooks.close(graceMs) };
}

/** Undefined where nobody wants to know what is done to sessions. */
function notesFor(
  { store, url }: Place,
  parts: { readonly folder: string; readonly hooks: readonly Hook[]; readonly log: Logger },
): LateNotes | undefined {
  if (!parts.hooks.some(({ on }) => on.some((event) => event.startsWith("session.")))) return undefined;
  const { inner = store } = guardOf(store) ?? {};
  return lateNotes(async () => {
    const { SessionNotes } = await import("./notify/session-notes.ts");
    return new SessionNotes({ ...parts, url, stored: (id) => inner.get(id) });
  }, parts.log);
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

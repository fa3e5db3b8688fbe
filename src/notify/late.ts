/** Hooks of a process that has no time for them yet: they are loaded behind its first answer, and miss nothing. */
import { loggedReason } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { Follower, NoteTaker } from "../session/events.ts";
import { waitAtMost } from "../base/time.ts";
import type { Hooks } from "./hooks.ts";
import type { SessionNotes } from "./session-notes.ts";
import type { TurnNotes } from "./turn-notes.ts";

export interface LateHooks {
  readonly follower: Follower;
  /** As `Hooks.close`. */
  close(graceMs: number): Promise<void>;
}

export interface LateNotes extends NoteTaker {
  loaded(): Promise<SessionNotes>;
}

/** What processes that are gone have left is looked for so long after a start, if nothing happens before. */
const latestMs = 1000;

/** @param notes told at once what begins, because it may be over before hooks are loaded */
export function lateHooks(notes: TurnNotes | undefined, load: () => Promise<Hooks>): LateHooks {
  let loading: Promise<Hooks> | undefined;
  let loaded: Hooks | undefined;
  const hooks = async () => {
    loading ??= load();
    loaded ??= await loading;
    return loaded;
  };
  // One that cannot be loaded is told of by whoever hands it the next news.
  const timer = setTimeout(() => void hooks().catch(() => undefined), latestMs);
  timer.unref();
  return {
    follower: (news) => {
      notes?.see(news);
      return loaded === undefined ? hooks().then(({ take }) => take(news)) : loaded.take(news);
    },
    close: async (graceMs) => {
      clearTimeout(timer);
      if (loading === undefined) return;
      await waitAtMost(loading, graceMs);
      await loaded?.close(graceMs);
    },
  };
}

/** Loaded when there is something to note. Where that fails, it is logged, and told unless this process is killed. */
export function lateNotes(load: () => Promise<SessionNotes>, log: Logger): LateNotes {
  let loading: Promise<SessionNotes> | undefined;
  const loaded = () => (loading ??= load());
  return {
    loaded,
    begin: async (type, id) => {
      try {
        return (await loaded()).begin(type, id);
      } catch (error) {
        log.error({ error: loggedReason(error, log) }, "what is done to sessions cannot be noted");
        return undefined;
      }
    },
  };
}
